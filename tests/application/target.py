"""The target as installations of the new application have it beside the redesign, made by scripts of theirs or by its profile."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from remoteiq_etl.lifecycle.application.application import ApplicationTarget
from remoteiq_etl.postgres.database import Database as EngineDatabase
from remoteiq_etl.state.schema import State
from schemas.application import PROFILES
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


@contextmanager
def place(target: Database, engine: EngineDatabase | None = None, **choices: Any) -> Iterator[ApplicationTarget]:
    """What the profile asks for, in a target."""
    engine = engine or EngineDatabase(target.url, "public")
    session = engine.connect()
    try:
        yield ApplicationTarget(session, State(engine, "remoteiq_etl"), PROFILES["present"], "default", **choices)
    finally:
        session.close()


def install(target: Database, **choices: Any) -> list[str]:
    """Make what is missing of it; the names."""
    with place(target, **choices) as application:
        return application.install()
