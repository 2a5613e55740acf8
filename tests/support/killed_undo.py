"""An undo that has every kind of row to write, small enough to be killed at each of its statements.

Belongs here: the databases, and one killed and resumed undo. Does not belong here: at which statements (see
tests.migration.test_undo_interrupted, and tests.machine.soak for all of them).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from remoteiq_etl.backfill.deletes.detect import DeletePolicy
from remoteiq_etl.backfill.run import open_run
from remoteiq_etl.lifecycle.undo.execute import UndoOutcome, execute
from remoteiq_etl.lifecycle.undo.plan import UndoPlan
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from tests.conftest import with_legacy_schema
from tests.machine.broken import ENDS, At
from tests.support.books import unbalanced
from tests.support.migrating import Migration, foreign_target
from tests.support.server import Server
from tests.support.undoing import place_of, planned

TABLES = ("organizations", "users", "personal_access_tokens", "tickets")
#: One in so many statements is tried by one test; the machine's soak tries the others, too.
STEP = 24
_USER, _TOKEN, _TICKET = (f"0000000{kind}-0000-4000-8000-0000000000" for kind in (1, 2, 3))
_BEFORE = f"""
INSERT INTO users (id, name, email, password_hash)
    SELECT ('{_USER}' || to_char(n, 'fm00'))::uuid, 'User ' || n, 'user' || n || '@example.com', 'hash'
    FROM generate_series(1, 6) n;
INSERT INTO tickets (id, number, title) OVERRIDING SYSTEM VALUE
    SELECT ('{_TICKET}' || to_char(n, 'fm00'))::uuid, n, 'Ticket ' || n FROM generate_series(1, 5) n
"""
#: Two addresses are exchanged, a third moves to a new user; rows are changed, new, and gone. One new user is edited since.
_CHANGES = f"""
UPDATE users SET email = 'free@example.com' WHERE id = '{_USER}01';
UPDATE users SET email = 'user1@example.com' WHERE id = '{_USER}02';
UPDATE users SET email = 'user2@example.com' WHERE id = '{_USER}01';
UPDATE users SET email = 'moved@example.com', last_seen = '2024-05-01' WHERE id = '{_USER}03';
INSERT INTO users (id, name, email) VALUES
    ('{_USER}07', 'New', 'user3@example.com'), ('{_USER}08', 'Kept', 'new@example.com');
INSERT INTO personal_tokens (id, user_id, name, token_hash)
    SELECT ('{_TOKEN}' || to_char(n, 'fm00'))::uuid, '{_USER}07', 'ci', 'digest' || n FROM generate_series(1, 3) n;
UPDATE tickets SET title = 'Changed' WHERE number < 4;
DELETE FROM tickets WHERE number = 5
"""
_STATE = """
SELECT 'users', legacy_key::text, new_key::text, state, written_hash::text FROM remoteiq_etl.legacy_users_map
UNION ALL SELECT 'tickets', legacy_key::text, new_key::text, state, written_hash::text FROM remoteiq_etl.legacy_tickets_map
UNION ALL SELECT 'images', id::text, new_key, (undone_by IS NULL)::text, NULL FROM remoteiq_etl.before_images
UNION ALL SELECT 'undos', digest, status, NULL, NULL FROM remoteiq_etl.undos
UNION ALL SELECT 'left', new_key, action, NULL, NULL FROM remoteiq_etl.undo_rows
ORDER BY 1, 2
"""
_HALF_DONE = """
SELECT r.table_name, r.new_key, r.action
FROM remoteiq_etl.undo_rows AS r
LEFT JOIN remoteiq_etl.before_images AS i ON i.id = r.first_image
LEFT JOIN users AS u ON r.table_name = 'users' AND u.id::text = r.new_key
LEFT JOIN personal_access_tokens AS p ON r.table_name = 'personal_access_tokens' AND p.id::text = r.new_key
LEFT JOIN tickets AS t ON r.table_name = 'tickets' AND t.id::text = r.new_key
LEFT JOIN remoteiq_etl.map_all AS m ON m.entity = r.table_name AND m.legacy_table = r.legacy_table AND m.legacy_key = r.legacy_key
WHERE r.done <> CASE r.action
    WHEN 'delete' THEN num_nonnulls(u.id, p.id, t.id) = 0 AND m.state = 'undone'
    WHEN 'insert' THEN num_nonnulls(u.id, p.id, t.id) = 1 AND m.state = 'live'
    WHEN 'restore' THEN i.undone_by IS NOT NULL
    WHEN 'keep' THEN true
END
"""


@dataclass(frozen=True)
class KilledUndo:
    """A target of which run 2 is to be undone, what is there when that was not disturbed, and how many statements it takes."""

    server: Server
    legacy: Migration
    plan: UndoPlan
    wanted: list[Any]
    statements: int

    @contextmanager
    def killed_at(self, statement: int) -> Iterator[Migration]:
        """A target in which the undo was killed: by an error, or by ending its sessions. It left no half batch."""
        with _copy(self.server, self.legacy) as migration:
            sessions = (migration.target,) if statement % 2 else ()
            assert _killed(migration, self.plan, At(statement, sessions))
            assert migration.query(_HALF_DONE) == [], statement
            assert unbalanced(migration) == [], statement
            yield migration

    def resumed_at(self, statement: int) -> UndoOutcome:
        """Kill the undo at a statement and execute it once more: it ends as an undisturbed one."""
        with self.killed_at(statement) as migration:
            outcome = execute(place_of(migration), self.plan)
            assert outcome.proven, statement
            assert _found(migration) == self.wanted, statement
            assert unbalanced(migration) == [], statement
        return outcome


@contextmanager
def killed_undo(server: Server) -> Iterator[KilledUndo]:
    """Databases to be copied for each time that the undo is killed."""
    legacy, target = server.clone("legacy", with_legacy_schema), foreign_target(server)
    prepared = Migration.of(legacy, target)
    _prepare(prepared)
    plan, counter = planned(prepared, UndoScope(run=2)), At(0)
    with _copy(server, prepared) as calm:
        assert not _killed(calm, plan, counter)
        wanted = _found(calm)
    yield KilledUndo(server, prepared, plan, wanted, counter.count)
    legacy.drop()
    target.drop()


def _prepare(migration: Migration) -> None:
    migration.legacy.execute(_BEFORE)
    migration.run(*TABLES)
    migration.legacy.execute(_CHANGES)
    with open_run(migration.plan) as run:
        run.load_all(TABLES)
        run.deletes.look(DeletePolicy.PROPAGATE)
    migration.target.execute(f"UPDATE users SET first_name = 'Edited' WHERE id = '{_USER}08'")


@contextmanager
def _copy(server: Server, prepared: Migration) -> Iterator[Migration]:
    target = server.create_database(template=prepared.target.name)
    yield Migration.of(prepared.legacy, target)
    target.drop()


def _killed(migration: Migration, plan: UndoPlan, observer: At) -> bool:
    place = place_of(migration, batch_rows=2)
    try:
        execute(replace(place, target=replace(place.target, observer=observer)), plan)
    except ENDS:
        return True
    return False


def _found(migration: Migration) -> list[Any]:
    rows = [sorted(map(str, migration.rows(table))) for table in TABLES]
    return [*rows, migration.query(_STATE)]
