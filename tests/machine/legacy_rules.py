"""What the legacy application does: it writes, in several transactions at once, and deletes.

A row or a transaction is picked by a number, whatever there is to pick from: so an example can be repeated and shrunk.
"""

from datetime import UTC, datetime
from typing import Any, LiteralString

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.machine.world import World

#: Which transaction: 0 commits at once, the others stay open until they are ended.
TRANSACTION = st.integers(0, 3)
PICK = st.integers(0, 20)
#: Few addresses, in several spellings, so that users fight for them.
EMAIL = st.sampled_from(
    ["a@example.com", "A@example.com ", "b@example.com", "B@Example.com", "c@example.com", "d@example.com", " "]
)
MOMENT = st.integers(0, 9).map(lambda hour: datetime(2024, 6, 1, hour, tzinfo=UTC))
TEXT = st.sampled_from(["one", "two words", "drei"])
LEGACY: dict[str, tuple[LiteralString, LiteralString]] = {
    "users": ("users", "id"),
    "personal_access_tokens": ("personal_tokens", "id"),
    "backup_jobs": ("backup_jobs", "id"),
    "backup_job_logs": ("backup_job_logs", "job_id"),
    "tickets": ("tickets", "id"),
}
NEW_USER = "INSERT INTO users (id, name, email, created_at, updated_at) VALUES (%s, %s, %s, %s, %s)"
NEW_TOKEN = "INSERT INTO personal_tokens (id, user_id, name, token_hash, created_at) VALUES (%s, %s, %s, 'digest', %s)"
NEW_JOB = "INSERT INTO backup_jobs (id, started_at, status) VALUES (%s, %s, 'running')"
NEW_LOG = "INSERT INTO backup_job_logs VALUES (%s, 'begun')"
NEW_TICKET = """
INSERT INTO tickets (id, number, title, created_at, updated_at) OVERRIDING SYSTEM VALUE VALUES (%s, %s, %s, %s, %s)
"""
LET_GO = "UPDATE users SET email = email || '~' WHERE id = ANY (%(both)s::uuid[])"
EXCHANGE = """
UPDATE users AS u SET email = rtrim(o.email, '~') FROM users AS o
WHERE u.id = ANY (%(both)s::uuid[]) AND o.id = ANY (%(both)s::uuid[]) AND o.id <> u.id
"""
#: What an update sets, by table; in some cases nothing that becomes part of the target row.
CHANGES: dict[str, tuple[tuple[LiteralString, st.SearchStrategy[Any]], ...]] = {
    "users": (
        ("name = %(value)s, updated_at = %(now)s", TEXT),
        ("email = %(value)s, updated_at = %(now)s", EMAIL),
        ("last_seen = %(value)s", MOMENT),
        ("role = %(value)s, updated_at = %(now)s", TEXT),
    ),
    "personal_access_tokens": (
        ("name = %(value)s", TEXT),
        ("last_used_at = %(value)s", MOMENT),
        ("user_id = (SELECT id FROM users ORDER BY id OFFSET %(value)s LIMIT 1)", st.integers(0, 2)),
        ("name = name", TEXT),
    ),
    "backup_jobs": (
        ("note = %(value)s", TEXT),
        ("status = %(value)s, finished_at = %(now)s", st.sampled_from(["success", "failed", "running"])),
        ("size_bytes = %(value)s, started_at = %(now)s", st.integers(0, 3)),
        ("targets = to_jsonb(%(value)s::text)", TEXT),
    ),
    "backup_job_logs": (("log_text = %(value)s", TEXT), ("log_text = log_text", TEXT)),
    "tickets": (
        ("title = %(value)s, updated_at = %(now)s", TEXT),
        (
            "status = %(value)s, updated_at = %(now)s",
            st.sampled_from(["open", "closed", "pending", "a word nobody knows"]),
        ),
        ("number = %(value)s, updated_at = %(now)s", st.integers(1, 9)),
        ("customer_id = %(value)s, updated_at = %(now)s", TEXT),
    ),
}
UPDATES = st.sampled_from(sorted(CHANGES)).flatmap(
    lambda table: st.sampled_from(CHANGES[table]).flatmap(
        lambda change: st.tuples(st.just(table), st.just(change[0]), change[1])
    )
)


class LegacyRules(RuleBasedStateMachine):
    """Rules of the legacy database."""

    world: World

    @rule(number=TRANSACTION, nested=st.booleans(), name=TEXT, email=EMAIL)
    def a_user_is_added(self, number: int, nested: bool, name: str, email: str) -> None:
        values = (self.world.new_key(1), name, email, self.world.now(), self.world.now())
        self.world.write(number, nested, (NEW_USER, values))

    @rule(number=TRANSACTION, nested=st.booleans(), name=TEXT, pick=PICK)
    def a_token_is_added(self, number: int, nested: bool, name: str, pick: int) -> None:
        if users := self.world.keys("users"):
            values = (self.world.new_key(2), users[pick % len(users)], name, self.world.now())
            self.world.write(number, nested, (NEW_TOKEN, values))

    @rule(number=TRANSACTION, nested=st.booleans(), log=st.booleans())
    def a_job_is_added(self, number: int, nested: bool, log: bool) -> None:
        key = self.world.new_key(3)
        self.world.write(number, nested, (NEW_JOB, (key, self.world.now())), *([(NEW_LOG, (key,))] if log else []))

    @rule(number=TRANSACTION, nested=st.booleans(), given_number=st.integers(1, 12), title=TEXT)
    def a_ticket_is_added(self, number: int, nested: bool, given_number: int, title: str) -> None:
        values = (self.world.new_key(4), given_number, title, self.world.now(), self.world.now())
        self.world.write(number, nested, (NEW_TICKET, values))

    @rule(number=TRANSACTION, nested=st.booleans(), update=UPDATES, pick=PICK)
    def a_row_is_changed(self, number: int, nested: bool, update: tuple[str, LiteralString, Any], pick: int) -> None:
        name, change, value = update
        if keys := self.world.keys(name):
            table, key = LEGACY[name]
            statement: LiteralString = "UPDATE " + table + " SET " + change + " WHERE " + key + " = %(key)s"
            values = {"value": value, "now": self.world.now(), "key": keys[pick % len(keys)]}
            self.world.write(number, nested, (statement, values))

    @rule(number=TRANSACTION, nested=st.booleans(), name=st.sampled_from(sorted(LEGACY)), pick=PICK)
    def a_row_is_deleted(self, number: int, nested: bool, name: str, pick: int) -> None:
        if keys := self.world.keys(name):
            table, key = LEGACY[name]
            statement: LiteralString = "DELETE FROM " + table + " WHERE " + key + " = %s"
            self.world.write(number, nested, (statement, (keys[pick % len(keys)],)))

    @rule(number=TRANSACTION, first=PICK, second=PICK)
    def two_users_exchange_their_addresses(self, number: int, first: int, second: int) -> None:
        users = self.world.keys("users")
        if len(users) > 1 and first % len(users) != second % len(users):
            one, other = users[first % len(users)], users[second % len(users)]
            both = {"both": [one, other]}
            self.world.write(number, True, (LET_GO, both), (EXCHANGE, both))

    @rule(number=st.integers(1, 3), commit=st.booleans())
    def a_transaction_ends(self, number: int, commit: bool) -> None:
        self.world.end(number, commit=commit)

    @rule(freeze=st.booleans())
    def old_rows_are_vacuumed(self, freeze: bool) -> None:
        self.world.looker.execute("VACUUM (FREEZE) users, tickets" if freeze else "VACUUM users, tickets, backup_jobs")
