"""Row security: a table that shows less than it has is refused with a sentence, on both sides, before anything is written."""

from dataclasses import replace

import psycopg
import pytest

from remoteiq_etl.errors import DriftError
from remoteiq_etl.lifecycle.undo.access import UndoTarget, looking
from remoteiq_etl.verify.engine import verify
from tests.support import drifting
from tests.support.migrating import Migration
from tests.support.server import Database

_HALF = "ALTER TABLE {0} ENABLE ROW LEVEL SECURITY; CREATE POLICY half ON {0} USING (id::text < '8')"


@pytest.fixture
def reader(edge_db: Database) -> str:
    """A role of which a policy hides some tickets."""
    edge_db.execute(_HALF.format("tickets"))
    return edge_db.select_only_role()


def test_the_table_is_not_loaded_and_the_others_are(edge_db: Database, our_target: Database, reader: str) -> None:
    migration = drifting.settled(edge_db, our_target, reader=reader)
    reports = drifting.run(migration, "tickets", "permissions")
    reason = reports["tickets"].blocked
    assert reason is not None
    for words in ("row security hides rows of tickets", f"from role {reader}", "BYPASSRLS"):
        assert words in reason
    assert reports["permissions"].blocked is None
    with our_target.connect() as connection:
        assert connection.execute("SELECT count(*) FROM tickets").fetchone() == (0,)


def test_what_was_loaded_before_stays_and_is_not_green(edge_db: Database, our_target: Database) -> None:
    """A policy that comes later: no ticket is taken for deleted, and the verdict of before does not stand."""
    before = drifting.settled(edge_db, our_target)
    drifting.run(before, "tickets", "permissions")
    assert verify(before.plan(), ["tickets", "permissions"]).passed
    count = "SELECT count(*) FROM tickets"
    with our_target.connect() as connection:
        there = connection.execute(count.encode()).fetchone()
        edge_db.execute(_HALF.format("tickets"))
        hidden = drifting.settled(edge_db, our_target, reader=edge_db.select_only_role())
        drifting.run(hidden, "tickets", "permissions")
        assert connection.execute(count.encode()).fetchone() == there
    verdict = verify(hidden.plan(), ["tickets", "permissions"])
    errors = {one.table: one.error for one in verdict.tables}
    assert (verdict.passed, errors["permissions"]) == (False, None)
    assert "row security hides rows of tickets" in str(errors["tickets"])


def test_a_role_that_bypasses_the_policy_reads_every_row(edge_db: Database, our_target: Database, reader: str) -> None:
    edge_db.execute(f"ALTER ROLE {reader} BYPASSRLS")
    reports = drifting.run(drifting.settled(edge_db, our_target, reader=reader), "tickets")
    assert reports["tickets"].blocked is None


def test_the_server_itself_refuses_what_nobody_asked_about(
    edge_db: Database, our_target: Database, reader: str
) -> None:
    """Every session has row_security = off, whatever the role says."""
    edge_db.execute(f"ALTER ROLE {reader} SET row_security = on")
    migration = Migration.of(edge_db, our_target)
    plan = replace(migration.plan, legacy=replace(migration.plan.legacy, url=edge_db.url_as(reader)))
    session = plan.legacy.connect()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.rows("SELECT id FROM tickets")
    session.close()


# --- the target -----------------------------------------------------------------------------------------------------


@pytest.fixture
def partly_shown(again: Migration) -> Migration:
    """A migrated target whose owner is kept from some of the users."""
    role = "owner_of_some"
    again.target.execute(f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN SUPERUSER")
    with again.target.connect() as connection:
        tables = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'remoteiq_etl')"
        for (name,) in connection.execute(tables.encode()).fetchall():
            connection.execute(f"GRANT ALL ON {name} TO {role}".encode())
        connection.execute(
            f"GRANT ALL ON SCHEMA public, remoteiq_etl TO {role}; ALTER ROLE {role} NOSUPERUSER".encode()
        )
    again.target.execute(_HALF.format("users"))
    target = replace(again.plan.target, url=again.target.url_as(role))
    return replace(again, plan=replace(again.plan, target=target))


def test_a_target_that_hides_rows_is_neither_written_nor_verified_nor_undone(partly_shown: Migration) -> None:
    """What is hidden would be taken for deleted by a user, for good."""
    runs = partly_shown.query("SELECT count(*) FROM remoteiq_etl.runs")
    says = r"row security hides rows of \"public\".\"users\" from the role owner_of_some.*ALTER ROLE \"owner_of_some\" BYPASSRLS"
    plan = partly_shown.plan
    with pytest.raises(DriftError, match=says):
        partly_shown.run("users")
    with pytest.raises(DriftError, match=says):
        partly_shown.run("users", planning=True)
    with pytest.raises(DriftError, match=says):
        verify(plan, ["users"])
    place = UndoTarget(plan.target, plan.specs)
    with pytest.raises(DriftError, match=says), looking(place):
        pass
    assert partly_shown.query("SELECT count(*) FROM remoteiq_etl.runs") == runs
    gone = "SELECT count(*) FROM remoteiq_etl.legacy_users_map WHERE state = 'deleted'"
    assert partly_shown.query(gone) == [(0,)]
