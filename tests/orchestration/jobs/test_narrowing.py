"""A re-sync narrowed to what has changed: what it has steps for, what it records, and that it loads what it has no step for."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

import assets
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.migration import connected
from remoteiq_etl.orchestration.assets.discovery import find_specs
from remoteiq_etl.orchestration.assets.unchanged import UNCHANGED_TABLES
from remoteiq_etl.orchestration.jobs.execute import JobOutcome
from remoteiq_etl.orchestration.jobs.narrowing import checks_of, narrowed
from remoteiq_etl.orchestration.runtime.instance import instance
from tests.orchestration.conftest import configure, run_some
from tests.orchestration.some_tables import TABLES
from tests.support.server import Database

SPECS = {name: spec for name, spec in find_specs(assets).items() if name in TABLES}
AROUND = {"target_schema", "accepted_drift", "unchanged_tables", "target_constraints"}
#: Events of a run of which nothing has changed: four steps, and the run itself.
IDLE = 32


@pytest.fixture(scope="module")
def databases(edge_databases: tuple[Database, Database]) -> tuple[Database, Database]:
    """Legacy and target of one installation, to which the tests of this file happen in order."""
    return edge_databases


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def own(
    databases: tuple[Database, Database], home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    """The project's own instance, on disk, with a first run."""
    configure(monkeypatch, databases[0].url, databases[1].url, home)
    with instance(Settings.load()) as opened:
        if not opened.get_runs_count():
            assert run_some(opened).success
        yield opened


def look(opened: dg.DagsterInstance) -> list[dg.AssetKey] | None:
    with connected(Settings.load(), SPECS) as migration:
        return narrowed(opened, migration)


def tables(chosen: list[dg.AssetKey] | None) -> set[str]:
    """The tables that have a step."""
    assert chosen is not None
    names = {key.to_user_string() for key in chosen}
    assert names >= AROUND
    return names - AROUND


def resync(opened: dg.DagsterInstance, chosen: list[dg.AssetKey] | None = None) -> JobOutcome:
    outcome = run_some(opened, selection=chosen or look(opened))
    assert outcome.success, outcome.error
    return outcome


def events(opened: dg.DagsterInstance, outcome: JobOutcome) -> list[dg.EventLogEntry]:
    return list(opened.all_logs(outcome.run_id))


def materialized(opened: dg.DagsterInstance, outcome: JobOutcome) -> Counter[str]:
    """What was recorded of each asset: its materialization, and its checks."""
    found: Counter[str] = Counter()
    for entry in events(opened, outcome):
        event = entry.dagster_event
        if event is not None and event.is_step_materialization:
            found[event.asset_key.to_user_string()] += 1
        elif event is not None and event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            found[f"checks of {event.asset_check_evaluation_data.asset_key.to_user_string()}"] += 1
    return found


def code_version(opened: dg.DagsterInstance, table: str) -> object:
    entry = opened.get_latest_materialization_event(dg.AssetKey(table))
    assert entry is not None
    assert entry.asset_materialization is not None
    return (entry.asset_materialization.tags or {}).get("dagster/code_version")


def test_where_nothing_has_changed_no_table_has_a_step_and_none_an_event(own: dg.DagsterInstance) -> None:
    assert tables(look(own)) == set()
    outcome = resync(own)
    assert {table: report.reading for table, report in outcome.reports.items() if report.read} == {}
    assert outcome.reports.keys() >= {*TABLES}, "every table was looked at all the same"
    assert set(materialized(own, outcome)) == AROUND
    assert len(events(own, outcome)) <= IDLE


def test_what_was_looked_at_is_as_if_it_had_been_loaded(
    own: dg.DagsterInstance, databases: tuple[Database, Database]
) -> None:
    """Else a table that rests would seem to fall behind its source, and its watermark would grow too old to compare."""
    resync(own)
    behind = "SELECT count(*) FROM remoteiq_etl.assets WHERE run_id < (SELECT max(id) FROM remoteiq_etl.runs)"
    with databases[1].connect() as connection:
        assert connection.execute(behind).fetchone() == (0,)


def test_a_changed_table_and_what_depends_on_it_have_steps(
    own: dg.DagsterInstance, databases: tuple[Database, Database]
) -> None:
    databases[0].execute("UPDATE company_profile SET name = 'Narrow Ltd'")
    chosen = look(own)
    assert tables(chosen) == {"organizations", "clients", "sites"}
    assert {key.name for key in checks_of(SPECS, chosen or [])} >= {"conservation", "target_contract"}
    found = materialized(own, resync(own))
    assert (found["organizations"], found["clients"], found["sites"], found["permissions"]) == (1, 1, 1, 0)
    assert (found["checks of organizations"], found["checks of clients"]) == (3, 2)
    assert tables(look(own)) == set()


def test_a_table_that_only_decisions_read_gives_nothing_a_step_and_what_it_decides_is_recorded(
    own: dg.DagsterInstance, databases: tuple[Database, Database]
) -> None:
    """Agents report every minute, and clients are made of what they and devices say."""
    databases[0].execute("UPDATE devices SET last_seen = now()")
    assert tables(look(own)) == set()
    assert set(materialized(own, resync(own))) == AROUND
    databases[0].execute(
        "UPDATE devices SET client = 'Acme Narrow' WHERE id = (SELECT min(id::text) FROM devices)::uuid"
    )
    outcome = resync(own)
    assert outcome.reports["clients"].counts()["inserted"] == 1
    found = materialized(own, outcome)
    assert (found["clients"], found["checks of clients"], found["organizations"]) == (1, 2, 0)


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM permissions WHERE ctid = (SELECT max(ctid) FROM permissions)",
        "ALTER TABLE permissions ALTER COLUMN label SET STATISTICS 7",
    ],
    ids=["deleted", "statistics"],
)
def test_a_deleted_row_counts_and_what_changes_no_row_does_not(
    own: dg.DagsterInstance, databases: tuple[Database, Database], change: str
) -> None:
    databases[0].execute(change)
    assert ("permissions" in tables(look(own))) == change.startswith("DELETE")
    resync(own)


def test_what_changes_after_the_look_is_loaded_and_recorded_as_its_own_step_would(
    own: dg.DagsterInstance, databases: tuple[Database, Database]
) -> None:
    chosen, version = look(own), code_version(own, "organizations")
    assert tables(chosen) == set()
    databases[0].execute("UPDATE company_profile SET name = 'Narrow & Co'")
    outcome = resync(own, chosen)
    assert outcome.reports["organizations"].counts()["updated"] == 1
    found = materialized(own, outcome)
    assert (found["organizations"], found["checks of organizations"]) == (1, 3)
    assert version == code_version(own, "organizations") is not None, "else the asset would count as outdated"
    (last,) = own.fetch_materializations(dg.AssetKey("organizations"), limit=1).records
    assert {check.target_materialization_data.storage_id for check in checks(own, outcome)} == {last.storage_id}


def checks(opened: dg.DagsterInstance, outcome: JobOutcome) -> list[dg.AssetCheckEvaluation]:
    of_type = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    return [
        entry.get_dagster_event().asset_check_evaluation_data
        for entry in opened.all_logs(outcome.run_id, of_type=of_type)
    ]


def test_after_a_failed_run_every_table_that_it_did_not_complete_has_a_step_of_its_own(
    own: dg.DagsterInstance, databases: tuple[Database, Database]
) -> None:
    """So a table that cannot be loaded holds up only those that depend on it, and is named."""
    with databases[1].connect() as connection:
        connection.execute(
            "UPDATE remoteiq_etl.runs SET status = 'failed' WHERE id = (SELECT max(id) FROM remoteiq_etl.runs)"
        )
        connection.execute("UPDATE remoteiq_etl.assets SET run_id = run_id - 1 WHERE table_name = 'sites'")
    assert tables(look(own)) == {"sites"}
    resync(own)
    assert tables(look(own)) == set()


def test_an_instance_that_knows_no_table_records_every_table(own: dg.DagsterInstance, tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as fresh:
        assert look(fresh) is None


def test_before_the_first_run_and_without_a_database_all_tables_have_steps(
    own: dg.DagsterInstance, databases: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMOTEIQ_SOURCE", "another")
    assert look(own) is None
    monkeypatch.setenv("REMOTEIQ_TARGET_URL", "postgresql://nobody@/nowhere?host=/nowhere")
    assert look(own) is None


def test_a_run_with_all_steps_has_nothing_to_pass_by(own: dg.DagsterInstance) -> None:
    outcome = run_some(own)
    assert outcome.success
    entry = own.get_latest_materialization_event(UNCHANGED_TABLES)
    assert entry is not None
    assert entry.run_id == outcome.run_id
    assert entry.asset_materialization is not None
    assert entry.asset_materialization.metadata["tables passed by"].value == 0
    assert set(materialized(own, outcome)) >= {"organizations", "clients", "sites"}
