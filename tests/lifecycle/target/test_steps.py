"""Prepare and finalize as steps: scripts that psql runs to the same catalogue, one at a time, stages moved as they should be."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import LockedError
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.lifecycle.stages.stage import Stage
from remoteiq_etl.lifecycle.target.steps import StagedTarget, staged
from remoteiq_etl.postgres.database import Database as EngineDatabase
from remoteiq_etl.state import locks
from tests.support.preparing import KillAt, Killed
from tests.support.server import Database, Server, bundled_bin_dir


def target_of(database: Database, role: str | None = None) -> EngineDatabase:
    return EngineDatabase(database.url if role is None else database.url_as(role), "public")


def settings() -> Settings:
    return Settings(source="head-office", organization_slug="head-office")


def step(database: Database, what: Callable[[StagedTarget], object]) -> str:
    with staged(target_of(database), settings()) as place:
        return str(what(place))


def psql(database: Database, script: str) -> None:
    """By the server's own program; some that are locked have none, and any psql speaks to any server."""
    own = database.server.bin_dir / "psql"
    program = own if own.exists() else bundled_bin_dir() / "psql"
    done = subprocess.run([program, "-X", "-q", "-d", database.url], input=script, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


def catalogue(database: Database) -> list[tuple[object, ...]]:
    """Everything of both schemas that the catalogue knows, without numbers of objects."""
    query = Path(__file__).with_name("catalogue.sql").read_text(encoding="utf-8")
    with database.connect() as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.mark.every_postgres
def test_the_script_of_prepare_makes_what_prepare_makes(server: Server) -> None:
    by_psql, by_us = server.create_database(), server.create_database()
    script = step(by_psql, StagedTarget.prepare_script)
    assert catalogue(by_psql) == []
    psql(by_psql, script)
    step(by_us, StagedTarget.prepare)
    assert catalogue(by_psql) == catalogue(by_us) != []


def stage(database: Database) -> str | None:
    with staged(target_of(database), settings()) as place:
        source_id = (
            store.source_of(place.session, place.state, "head-office") if place.state.exists(place.session) else None
        )
        entry = None if source_id is None else store.current(place.session, place.state, source_id)
        return None if entry is None else entry.stage


def prepared(server: Server, name: str = "prepared") -> Database:
    """A target that was prepared, and counts as verified: nothing was loaded, and nothing is wrong."""

    def build(database: Database) -> None:
        step(database, StagedTarget.prepare)
        database.execute("UPDATE remoteiq_etl.stages SET stage = 'verified', came_from = 'in step'")

    return server.clone(name, build)


def killed_at(database: Database, k: int, what: Callable[[StagedTarget], object]) -> bool:
    """Whether the process was killed at its k-th statement before it came to its end."""
    observed = EngineDatabase(database.url, "public", observer=KillAt(k))
    try:
        with staged(observed, settings()) as place:
            what(place)
    except Killed:
        return True
    return False


def test_prepare_killed_at_every_tenth_statement_leaves_no_half_and_the_next_one_completes_it(server: Server) -> None:
    whole = server.create_database()
    step(whole, StagedTarget.prepare)
    expected = catalogue(whole)
    database, k = server.create_database(), 1
    while killed_at(database, k, StagedTarget.prepare):
        tables = [row for row in catalogue(database) if row[:2] == ("relation", "public")]
        assert (tables, stage(database)) == ([], None), k
        k += 10
    assert k > 100
    assert (catalogue(database), stage(database)) == (expected, Stage.PREPARED)


@pytest.mark.every_postgres
def test_finalize_killed_at_every_seventh_statement_is_completed_by_the_next_one(server: Server) -> None:
    """Each attempt on what the one before left; an invalid index that a kill left is built again."""
    whole, database = prepared(server), prepared(server)
    step(whole, StagedTarget.finalize)
    k = 3
    while killed_at(database, k, StagedTarget.finalize):
        assert stage(database) is Stage.VERIFIED
        k += 7
    assert k > 30
    assert (catalogue(database), stage(database)) == (catalogue(whole), Stage.FINALIZED)
    with database.connect() as connection:
        invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
        assert connection.execute(invalid).fetchall() == [(0,)]


@pytest.mark.every_postgres
def test_the_script_of_finalize_makes_what_finalize_makes(server: Server) -> None:
    by_psql, by_us = prepared(server), prepared(server)
    by_psql.execute(
        "CREATE INDEX idx_agent_software_name ON agent_software (name);"
        " UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_agent_software_name'::regclass;"
        " ALTER TABLE clients ALTER COLUMN name DROP NOT NULL"
    )
    before = catalogue(by_psql)
    script = step(by_psql, StagedTarget.finalize_script)
    assert catalogue(by_psql) == before
    psql(by_psql, script)
    step(by_us, StagedTarget.finalize)
    assert catalogue(by_psql) == catalogue(by_us)
    assert stage(by_psql) is stage(by_us) is Stage.FINALIZED
    assert step(by_psql, lambda place: (place.finalize().foreign_keys, place.finalize().views)) == "((), ())"


def test_not_nulls_and_sequences_are_set_and_statistics_made(server: Server) -> None:
    database = prepared(server)
    database.execute(
        "ALTER TABLE clients ALTER COLUMN name DROP NOT NULL;"
        " INSERT INTO organizations (name, slug) VALUES ('Example', 'example')"
    )
    with staged(target_of(database), settings()) as place:
        assert place.finalize().not_null == ("clients.name",)
    database.execute(
        "ALTER TABLE organizations ADD COLUMN number bigint GENERATED BY DEFAULT AS IDENTITY;"
        " UPDATE organizations SET number = 41"
    )
    with staged(target_of(database), settings()) as place:
        assert place.finalize().sequences == ("organizations_number_seq",)
        assert place.finalize().sequences == ()
    with database.connect() as connection:
        query = "SELECT nextval('organizations_number_seq'), reltuples FROM pg_class WHERE relname = 'organizations'"
        assert connection.execute(query).fetchall() == [(42, 1)]


def test_a_view_of_somebody_else_stays_and_an_older_one_of_ours_is_renewed(server: Server) -> None:
    database = prepared(server)
    database.execute(
        "CREATE VIEW report_devices AS SELECT 1 AS of_others; CREATE VIEW report_software AS SELECT 1 AS older;"
        " COMMENT ON VIEW report_software IS 'Programs. Made by remoteiq-etl, 0123456789ab'"
    )
    with staged(target_of(database), settings()) as place:
        done = place.finalize()
        assert "report_software" in done.views
        assert done.remarks == (
            "report_devices is somebody else's and stays: the reporting view of this name is not made",
        )
        assert place.finalize().views == ()
    with database.connect() as connection:
        assert connection.execute("SELECT of_others FROM report_devices").fetchall() == [(1,)]
        assert connection.execute("SELECT publisher FROM report_software").fetchall() == []


def test_a_second_operator_is_told_who_prepares(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "LOCK_PATIENCE", 0.0)
    database = prepared(server)
    with staged(target_of(database), settings()) as first:
        source_id = store.source_of(first.session, first.state, "head-office")
        assert source_id is not None
        with store.claim(first.session, first.state, source_id, "finalize"):
            for what in (StagedTarget.prepare, StagedTarget.finalize, StagedTarget.take_back):
                with pytest.raises(LockedError, match=r"in work already: finalize, by \S+@\S+ \(role \w+\) since 20"):
                    step(database, what)
