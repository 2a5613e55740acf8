"""Short ways to undo in tests, to say what a target holds, and a target in which runs and users have changed each domain."""

import json
from collections.abc import Collection
from typing import Any

from remoteiq_etl.lifecycle.undo.access import UndoTarget
from remoteiq_etl.lifecycle.undo.execute import UndoOutcome, execute
from remoteiq_etl.lifecycle.undo.plan import UndoPlan, plan
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from remoteiq_etl.sensitive.keys import SealingKeys
from tests.support.books import unbalanced
from tests.support.migrating import Migration, build_target, lasting_columns, target_tables
from tests.support.server import Database, Server

#: Invented.
SEALING_KEYS = SealingKeys((bytes(range(32)),))
EVERYTHING = UndoScope(everything=True)


def place_of(migration: Migration, **changes: Any) -> UndoTarget:
    """The place of a migration's target."""
    engine = migration.plan
    return UndoTarget(engine.target, engine.specs, engine.source, engine.state_schema, engine.sealing_keys, **changes)


def planned(migration: Migration, scope: UndoScope, **choices: Any) -> UndoPlan:
    return plan(place_of(migration), scope, **choices)


def undone(migration: Migration, scope: UndoScope, **choices: Any) -> UndoOutcome:
    """Plan and execute; what blocks, or is not proven, fails the test."""
    found = planned(migration, scope, **choices)
    assert found.blocked == []
    outcome = execute(place_of(migration), found)
    assert outcome.proven, (outcome.changed, outcome.wrong)
    assert unbalanced(migration) == []
    return outcome


def content(migration: Migration, without: Collection[str] = ()) -> dict[str, list[str]]:
    """Every row of every table as text; equal for targets that hold the same, times of an insert apart."""
    return {
        table: sorted(
            json.dumps({name: row[name] for name in lasting_columns(table)}, default=str)
            for row in migration.rows(table)
        )
        for table in target_tables()
        if table not in without
    }


def last_run(migration: Migration) -> int:
    return int(migration.query("SELECT max(id) FROM remoteiq_etl.runs WHERE status <> 'plan'")[0][0])


def resynced(server: Server, edge_template: str) -> Migration:
    """Copies of a pair of databases: loaded by run 1, one row of each domain edited by a user, re-synced by runs 2 and 3."""
    target = server.clone("target_undo", lambda database: _resync(server, edge_template, database))
    legacy = server.create_database(template=server.templates["legacy_undo"])
    migration = Migration.of(legacy, target, sealing_keys=SEALING_KEYS)
    migration.accept_copy()
    return migration


def _resync(server: Server, edge_template: str, target: Database) -> None:
    build_target(target, foreign_keys=True)
    legacy = server.create_database("template_legacy_undo", template=edge_template)
    server.templates["legacy_undo"] = legacy.name
    migration = Migration.of(legacy, target, sealing_keys=SEALING_KEYS)
    migration.run()
    for table, assignment in EDITED.items():
        migration.target.execute(
            f"UPDATE {table} SET {assignment} WHERE id = (SELECT id FROM {table} ORDER BY id DESC LIMIT 1)"
        )
    for run in (2, 3):
        legacy.execute(_CHANGES[run])
        migration.run()


EDITED = {
    "support_channels": """configuration = '{"edited": true}'""",
    "users": "last_name = 'edited by a user'",
    "devices": "operating_system = 'edited by a user'",
    "agent_tasks": """payload = '{"edited": true}'""",
    "checks": """config = '{"edited": true}'""",
    "backup_jobs": "note = 'edited by a user'",
    "tickets": "subject = 'edited by a user'",
    "email_messages": "subject = 'edited by a user'",
}
"""Of each domain one table, and what users set in one of its rows."""
_NEW_TICKET = (
    "INSERT INTO tickets (id, number, title, status, priority, created_at, updated_at) VALUES"
    " ('70000000-0000-4000-8000-00000000000{run}', 77000{run}, 'made by run {run}', 'open', 'low', now(), now())"
)
_CHANGES = {
    2: ";".join(
        [
            "UPDATE tickets SET title = 'changed by run 2' WHERE number IN (SELECT number FROM tickets ORDER BY number LIMIT 6)",
            _NEW_TICKET.format(run=2),
            "UPDATE devices SET os = 'freebsd' WHERE id = (SELECT min(id::text)::uuid FROM devices)",
            "UPDATE backups_config SET retention_days = 77 WHERE id = 'singleton'",
            "UPDATE email_settings SET smtp_host = 'smtp2.example.com' WHERE purpose = 'alerts'",
            "UPDATE branding_settings SET primary_color = '#010203'",
            "UPDATE users SET password_hash = 'changed' WHERE id = (SELECT min(id::text)::uuid FROM users)",
            "UPDATE jobs SET payload = '{\"changed\": true}' WHERE id IN (SELECT id FROM jobs ORDER BY id OFFSET 1 LIMIT 3)",
            "UPDATE check_runs SET output = 'changed' WHERE id = (SELECT min(id::text)::uuid FROM check_runs)",
        ]
    ),
    3: ";".join(
        [
            "UPDATE tickets SET title = 'changed by run 3' WHERE number = (SELECT min(number) FROM tickets)",
            _NEW_TICKET.format(run=3),
            "UPDATE jobs SET status = 'succeeded' WHERE id = (SELECT min(id::text)::uuid FROM jobs)",
        ]
    ),
}
