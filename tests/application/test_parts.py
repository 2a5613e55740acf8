"""What the application needs beyond the redesign: made once, accepted where it is there, taken away where nobody uses it."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql

from remoteiq_etl.errors import ApplicationError
from remoteiq_etl.gate.seen import catalogue
from remoteiq_etl.lifecycle.application.standing import PartKind
from remoteiq_etl.postgres.database import Database as EngineDatabase
from tests.application.target import install, place
from tests.support.migrating import foreign_target
from tests.support.server import Database, Server, bundled_bin_dir

_LABELS = {"label agent_task_type.patch_install", "label agent_task_type.patch_scan", "label ticket_status.in_progress"}


def shape(target: Database) -> str:
    with place(target) as application:
        return catalogue(application.session, "public")


def standings(target: Database) -> dict[str, PartKind]:
    with place(target) as application:
        return {one.part.name: one.standing.kind for one in application.found()}


def insert(target: Database, statement: str) -> tuple[object, ...]:
    with target.connect() as connection:
        row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row


@pytest.fixture(scope="module")
def installed(server: Server) -> Iterator[Database]:
    """A target with all that the application needs. Only to be looked at, and cloned."""
    target = foreign_target(server)
    install(target)
    yield target
    target.drop()


def test_all_of_it_is_made_once(installed: Database) -> None:
    assert set(standings(installed).values()) == {PartKind.THERE}
    assert install(installed) == []


def test_the_plan_is_what_psql_makes_the_same_of(
    server: Server, installed: Database, application_target: Database
) -> None:
    with place(application_target) as application:
        script, before = str(application.script()), shape(application_target)
        assert shape(application_target) == before
    program = server.bin_dir / "psql"
    program = program if program.exists() else bundled_bin_dir() / "psql"
    done = subprocess.run(
        [program, "-X", "-q", "-d", application_target.url], input=script, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert shape(application_target) == shape(installed)
    assert install(application_target) == []


def test_what_ends_at_any_statement_is_completed_by_the_next_call(
    installed: Database, application_target: Database
) -> None:
    """Each call ends seven statements later than the one before it; the way back likewise."""
    bare = shape(application_target)
    assert _ended_again_and_again(application_target, "install") > 10
    assert shape(application_target) == shape(installed)
    assert _ended_again_and_again(application_target, "remove") > 10
    left = {name for name, kind in standings(application_target).items() if kind is PartKind.THERE}
    assert left == _LABELS
    assert shape(application_target) != bare  # labels stay


def _ended_again_and_again(target: Database, what: str) -> int:
    """Call it until it ends by itself; how often it was ended before."""
    for most in range(4, 10_000, 7):
        sent = iter(range(most))

        def observe(statement: str, sent: Iterator[int] = sent) -> None:
            if next(sent, None) is None:
                raise KeyboardInterrupt

        try:
            with place(target, engine=replace(EngineDatabase(target.url, "public"), observer=observe)) as application:
                getattr(application, what)()
        except KeyboardInterrupt:
            continue
        return most // 7
    raise AssertionError("it never ends")


def test_what_is_there_in_a_form_that_can_be_used_is_accepted_and_stays_others(application_target: Database) -> None:
    application_target.execute(
        "ALTER TABLE users ADD name varchar(80) GENERATED ALWAYS AS (first_name) STORED, ADD phone citext;"
        "ALTER TABLE agents ALTER agent_uuid TYPE text; ALTER TYPE ticket_status ADD VALUE 'in_progress';"
        "CREATE CAST (text AS check_severity) WITH INOUT AS IMPLICIT;"
        "CREATE TABLE jobs (id text PRIMARY KEY, agent_id text, type varchar, payload json, status text, created_at timestamptz,"
        " dispatched_at timestamptz, started_at timestamptz, finished_at timestamptz, note text)"
    )
    accepted = {"column users.name", "column users.phone", "type agents.agent_uuid", "label ticket_status.in_progress"}
    accepted |= {"cast check_severity", "table jobs"}
    assert accepted.isdisjoint(install(application_target))
    with place(application_target) as application:
        application.remove()
    assert {
        name for name, kind in standings(application_target).items() if kind is PartKind.THERE
    } == accepted | _LABELS


def test_what_cannot_be_used_is_named_and_nothing_is_made(application_target: Database) -> None:
    application_target.execute(
        "ALTER TABLE tickets ADD due_at text; CREATE VIEW jobs AS SELECT 1 AS id; CREATE TABLE agent_jobs (id uuid, kind int)"
    )
    before = shape(application_target)
    with place(application_target) as application, pytest.raises(ApplicationError) as refused:
        application.install()
    text = str(refused.value)
    assert "column tickets.due_at: is of the type text, not timestamp with time zone" in text
    assert "table jobs: is no table" in text
    assert "has no column agent_id; kind is of the type integer, not text" in text
    assert "nothing makes id unique" in text
    assert shape(application_target) == before


def test_what_holds_something_of_others_stays_and_is_named(application_target: Database) -> None:
    install(application_target)
    application_target.execute(
        "INSERT INTO jobs (type) VALUES ('scan');INSERT INTO devices (hostname, alias) VALUES ('pc', 'front desk')"
    )
    with place(application_target) as application:
        kept = application.remove().kept
        assert {name: why for name, why in kept.items() if name not in _LABELS} == {
            "table jobs": "it holds rows",
            "column devices.alias": "it holds values",
        }
        application_target.execute("DELETE FROM jobs; DELETE FROM devices")
        assert set(application.remove().gone) == {"table jobs", "column devices.alias"}


def test_words_of_the_application_are_assigned_to_labels_and_others_are_refused(installed: Database) -> None:
    """A parameter is text; the label itself passes, also one that was added later."""
    installed.execute("CREATE TABLE words (status check_status, severity check_severity, type check_target_type)")
    for word, label in {"OK": "passed", "warn": "warning", "TIMEOUT": "failed", "muted": "muted"}.items():
        assert insert(installed, f"INSERT INTO words (status) SELECT '{word}'::text RETURNING status::text") == (label,)
    given = (
        "INSERT INTO words (severity, type) SELECT 'CRIT'::text, 'device'::text RETURNING severity::text, type::text"
    )
    assert insert(installed, given) == ("critical", "device")
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        insert(installed, "INSERT INTO words (status) SELECT 'other'::text RETURNING 1")
    installed.execute("DROP TABLE words")


def test_an_assignment_follows_the_device_that_the_application_names(installed: Database) -> None:
    device = "d0000000-0000-4000-8000-000000000001"
    row = f"INSERT INTO check_assignments (device_id) VALUES ('{device}') RETURNING target_type::text, target_id::text"
    assert insert(installed, row) == ("device", device)


def test_tables_are_given_to_the_role_of_the_application_and_back(server: Server, application_target: Database) -> None:
    server.admin(sql.SQL("DROP ROLE IF EXISTS example_application"))
    server.admin(sql.SQL("CREATE ROLE example_application"))
    with place(application_target, owner="example_application") as application:
        made = application.install()
        assert {"owner check_runs", "owner check_assignments", "owner jobs"} <= set(made)
        owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'check_runs'"
        assert application.session.value(owner) == "example_application"
        assert application.install() == []
    with place(application_target) as application:
        application.remove()
        assert application.session.value(owner) != "example_application"
    application_target.drop()
    server.admin(sql.SQL("DROP ROLE example_application"))
