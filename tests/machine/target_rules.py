"""What the new application does with the target: it edits rows of ours, deletes them, and adds its own."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.machine.tables import MODELLED
from tests.machine.world import TABLES, World
from tests.machine.writes import PICK

TEXT = st.sampled_from(["one", "two words", "edited"])
#: What an edit sets, by table. Columns with rules of their own (activity, one-way doors, closing times) are left alone.
EDIT = st.one_of(
    st.tuples(st.just("users"), st.just("first_name"), TEXT),
    st.tuples(
        st.just("users"), st.just("email"), st.sampled_from(["a@example.com", "c@example.com", "new@example.com"])
    ),
    st.tuples(st.just("personal_access_tokens"), st.just("description"), TEXT),
    st.tuples(st.just("backup_jobs"), st.just("note"), TEXT),
    st.tuples(st.just("backup_job_logs"), st.just("log_text"), TEXT),
    st.tuples(st.just("tickets"), st.just("subject"), TEXT),
)
SIGN_UP = (
    "INSERT INTO users (id, organization_id, email, password_hash) SELECT %s, id, %s, 'its own' FROM organizations"
)
OPEN_TICKET = (
    "INSERT INTO tickets (id, organization_id, ticket_number, subject)"
    " SELECT %s, id, (SELECT coalesce(max(ticket_number), 0) + 1 FROM tickets), %s FROM organizations"
)


class TargetRules(RuleBasedStateMachine):
    """Rules of the target."""

    world: World

    @rule(edits=st.lists(st.tuples(EDIT, PICK), min_size=1, max_size=4))
    def rows_are_edited_in_the_target(self, edits: list[tuple[tuple[str, str, str], int]]) -> None:
        for (table, column, value), pick in edits:
            self._change(table, pick, f"UPDATE {table} SET {column} = %s WHERE {MODELLED[table].key} = %s", value)

    @rule(
        change=st.tuples(st.just("delete"), st.sampled_from(TABLES))
        | st.tuples(st.just("sign up"), st.sampled_from(["a@example.com", "b@example.com", "e@example.com"]))
        | st.tuples(st.just("open a ticket"), TEXT),
        pick=PICK,
    )
    def a_row_is_deleted_or_added_in_the_target(self, change: tuple[str, str], pick: int) -> None:
        kind, what = change
        if kind == "delete":
            self._change(what, pick, f"DELETE FROM {what} WHERE {MODELLED[what].key} = %s")
        else:
            statement = SIGN_UP if kind == "sign up" else OPEN_TICKET
            self.world.application_writes(statement, self.world.new_key(), what)

    def _change(self, table: str, pick: int, statement: str, *values: str) -> None:
        if keys := sorted(self.world.model[table].target):
            self.world.application_writes(statement, *values, keys[pick % len(keys)])
