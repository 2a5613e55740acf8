"""The target as installations of the new application have it beside the redesign: types, casts and labels of its own."""

from tests.support.server import Database

_STATEMENTS = (
    "ALTER TABLE agents ALTER agent_uuid TYPE text",
    "ALTER TABLE users ADD name text GENERATED ALWAYS AS (first_name || ' ' || last_name) STORED",
    "ALTER TABLE users ADD account_number bigint GENERATED ALWAYS AS IDENTITY",
    "ALTER TYPE ticket_status ADD VALUE 'in_progress'",
    "ALTER TYPE agent_task_type ADD VALUE 'patch_scan'",
    "ALTER TABLE check_assignments ALTER check_id DROP NOT NULL",
    "ALTER TABLE check_runs ALTER severity DROP NOT NULL",
    "CREATE CAST (text AS check_target_type) WITH INOUT AS IMPLICIT",
    "CREATE CAST (text AS check_status) WITH INOUT AS IMPLICIT",
    "CREATE CAST (text AS check_severity) WITH INOUT AS IMPLICIT",
    "CREATE CAST (text AS ticket_status) WITH INOUT AS IMPLICIT",
    "CREATE CAST (uuid AS text) WITH INOUT AS IMPLICIT",
    "CREATE CAST (text AS uuid) WITH INOUT AS IMPLICIT",
)


def as_installed(target: Database) -> None:
    """Give a target what an installation of the application has."""
    for statement in _STATEMENTS:
        target.execute(statement)
