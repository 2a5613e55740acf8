"""Single writes of the legacy application: rows added, changed and deleted, and transactions ended.

A row is picked by a number, whatever there is to pick from: so an example can be repeated and shrunk. Belongs here: what one
write is, and how often which comes. Does not belong here: when they happen (see legacy_rules).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString, Protocol

from hypothesis import strategies as st

from tests.machine.tables import MODELLED
from tests.machine.world import World

Statement = tuple[LiteralString, Mapping[str, Any]]


class Write(Protocol):
    """One write. It may find nothing to do."""

    def statements(self, world: World) -> Sequence[Statement]:
        """What is sent, in this order and in one savepoint."""


_NEW: dict[str, LiteralString] = {
    "users": "INSERT INTO users (id, name, email, created_at, updated_at) VALUES (%(key)s, %(text)s, %(email)s, %(now)s, %(now)s)",
    "personal_access_tokens": "INSERT INTO personal_tokens (id, user_id, name, token_hash, created_at)"
    " SELECT %(key)s, id, %(text)s, 'digest', %(now)s FROM users ORDER BY id OFFSET %(number)s LIMIT 1",
    "backup_jobs": "INSERT INTO backup_jobs (id, started_at, status) VALUES (%(key)s, %(now)s, 'running')",
    "backup_job_logs": "INSERT INTO backup_job_logs SELECT id, %(text)s FROM backup_jobs AS j"
    " WHERE NOT EXISTS (SELECT FROM backup_job_logs AS l WHERE l.job_id = j.id) ORDER BY id LIMIT 1",
    "tickets": "INSERT INTO tickets (id, number, title, created_at, updated_at) OVERRIDING SYSTEM VALUE"
    " VALUES (%(key)s, %(number)s, %(text)s, %(now)s, %(now)s)",
}
_LET_GO = "UPDATE users SET email = email || '~' WHERE id = ANY (%(both)s::uuid[])"
_EXCHANGE = (
    "UPDATE users AS u SET email = rtrim(o.email, '~') FROM users AS o"
    " WHERE u.id = ANY (%(both)s::uuid[]) AND o.id = ANY (%(both)s::uuid[]) AND o.id <> u.id"
)


@dataclass(frozen=True)
class Added:
    table: str
    text: str
    email: str
    number: int

    def statements(self, world: World) -> Sequence[Statement]:
        values = {"text": self.text, "email": self.email, "number": self.number}
        return [(_NEW[self.table], {**values, "key": world.new_key(), "now": world.now()})]


@dataclass(frozen=True)
class Changed:
    table: str
    change: LiteralString
    value: Any
    pick: int

    def statements(self, world: World) -> Sequence[Statement]:
        statement, key = _of(
            "UPDATE {table} SET " + self.change + " WHERE {key} = %(key)s", self.table, world, self.pick
        )
        return [(statement, {"value": self.value, "now": world.now(), "key": key})]


@dataclass(frozen=True)
class Deleted:
    table: str
    pick: int

    def statements(self, world: World) -> Sequence[Statement]:
        statement, key = _of("DELETE FROM {table} WHERE {key} = %(key)s", self.table, world, self.pick)
        return [(statement, {"key": key})]


@dataclass(frozen=True)
class Exchanged:
    """Two users exchange their addresses."""

    first: int
    second: int

    def statements(self, world: World) -> Sequence[Statement]:
        users = world.keys("users")
        both = {"both": [users[pick % len(users)] for pick in (self.first, self.second) if users]}
        return [(_LET_GO, both), (_EXCHANGE, both)] if len(set(both["both"])) == 2 else []


def _of(statement: LiteralString, table: str, world: World, pick: int) -> tuple[LiteralString, str | None]:
    """A statement about one committed row, and its key; no row has the key None."""
    modelled, keys = MODELLED[table], world.keys(table)
    key = keys[pick % len(keys)] if keys else None
    return statement.replace("{table}", modelled.legacy).replace("{key}", modelled.legacy_key), key


# --- how often what -----------------------------------------------------------------------------------------------------

#: Mostly the same few rows, on both sides: what happens to one row alone is soon told.
PICK = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 4, 7])
#: Few addresses, in several spellings, so that users fight for them.
EMAIL = st.sampled_from(
    ["a@example.com", "A@example.com ", "b@example.com", "B@Example.com", "c@example.com", "d@example.com", " "]
)
TEXT = st.sampled_from(["one", "two words", "drei"])
MOMENT = st.integers(0, 9).map(lambda hour: datetime(2024, 6, 1, hour, tzinfo=UTC))
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
        ("started_at = %(now)s", TEXT),
        ("targets = to_jsonb(%(value)s::text)", TEXT),
    ),
    "backup_job_logs": (("log_text = %(value)s", TEXT), ("log_text = log_text", TEXT)),
    "tickets": (
        ("title = %(value)s, updated_at = %(now)s", TEXT),
        ("status = %(value)s, updated_at = %(now)s", st.sampled_from(["open", "closed", "pending", "of no map"])),
        ("number = %(value)s, updated_at = %(now)s", st.integers(1, 9)),
        ("customer_id = %(value)s, updated_at = %(now)s", TEXT),
    ),
}  # fmt: skip
TABLE = st.sampled_from(sorted(CHANGES))
ADDED = st.builds(Added, TABLE, TEXT, EMAIL, st.integers(1, 9))
CHANGED = st.one_of(
    st.builds(Changed, st.just(table), st.just(change), value, PICK)
    for table, changes in CHANGES.items()
    for change, value in changes
)
#: Mostly changes: rows that are deleted, or fight for an address, hide what becomes of the others.
WRITE: st.SearchStrategy[Write] = st.one_of(
    ADDED, CHANGED, CHANGED, CHANGED, st.builds(Deleted, TABLE, PICK), st.builds(Exchanged, PICK, PICK)
)
