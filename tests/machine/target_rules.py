"""What the new application does with the target: it edits rows of ours, deletes them, and adds its own."""

from typing import Any, LiteralString

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.machine.legacy_rules import PICK
from tests.machine.tables import MODELLED
from tests.machine.world import TABLES, World

TEXT = st.sampled_from(["one", "two words", "edited"])
#: What an edit sets, by table. Columns with rules of their own (activity, one-way doors, closing times) are left alone.
EDITS: dict[str, tuple[tuple[LiteralString, st.SearchStrategy[Any]], ...]] = {
    "users": (("first_name", TEXT), ("email", st.sampled_from(["a@example.com", "c@example.com", "new@example.com"]))),
    "personal_access_tokens": (("description", TEXT),),
    "backup_jobs": (("note", TEXT),),
    "backup_job_logs": (("log_text", TEXT),),
    "tickets": (("subject", TEXT),),
}
EDIT = st.sampled_from(sorted(EDITS)).flatmap(
    lambda table: st.sampled_from(EDITS[table]).flatmap(
        lambda edit: st.tuples(st.just(table), st.just(edit[0]), edit[1])
    )
)


class TargetRules(RuleBasedStateMachine):
    """Rules of the target."""

    world: World

    @rule(edit=EDIT, pick=PICK)
    def a_row_is_edited_in_the_target(self, edit: tuple[str, LiteralString, Any], pick: int) -> None:
        table, column, value = edit
        self._change(table, pick, f"UPDATE {table} SET {column} = %s WHERE {MODELLED[table].key} = %s", value)

    @rule(table=st.sampled_from(TABLES), pick=PICK)
    def a_row_is_deleted_in_the_target(self, table: str, pick: int) -> None:
        self._change(table, pick, f"DELETE FROM {table} WHERE {MODELLED[table].key} = %s")

    @rule(email=st.sampled_from(["a@example.com", "b@example.com", "e@example.com"]))
    def a_user_signs_up_in_the_target(self, email: str) -> None:
        self._try(
            "INSERT INTO users (id, organization_id, email, password_hash) SELECT %s, id, %s, 'its own' FROM organizations",
            self.world.new_key(8), email,
        )  # fmt: skip

    @rule(title=TEXT)
    def a_ticket_is_opened_in_the_target(self, title: str) -> None:
        self._try(
            "INSERT INTO tickets (id, organization_id, ticket_number, subject)"
            " SELECT %s, id, (SELECT coalesce(max(ticket_number), 0) + 1 FROM tickets), %s FROM organizations",
            self.world.new_key(9), title,
        )  # fmt: skip

    def _change(self, table: str, pick: int, statement: str, *values: Any) -> None:
        if keys := sorted(self.world.model[table].target):
            self._try(statement, *values, keys[pick % len(keys)])

    def _try(self, statement: str, *values: Any) -> None:
        self.world.application_writes(statement, *values)
