"""The whole edge-case database through Dagster, and some of it again, recorded in the project's own instance."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

import assets
from remoteiq_etl.backfill.context.report import Ledger
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.orchestration.assets.discovery import find_specs
from remoteiq_etl.orchestration.jobs.execute import JobOutcome, execute_job
from remoteiq_etl.orchestration.runtime.instance import instance
from tests.orchestration.conftest import configure, runs
from tests.support.server import Database

SPECS = find_specs(assets)
#: What the second run loads; that a second run of all tables writes nothing is shown without Dagster.
AGAIN = ["organizations", "roles", "users", "devices", "agents", "tickets", "email_channels"]
#: Values of secret columns of the edge-case database, and what would betray the text of an error of a server.
BETRAYALS = ("gezdgnbvgy3tqojq", "jbsw y3dp ehpk 3pxp", "STALELEFTOVER234", "PRIVATE KEY-----", "DETAIL:", "psycopg.")


@dataclass
class Recorded:
    """Two runs over the same databases, and where they are recorded."""

    first: JobOutcome
    second: JobOutcome
    instance: dg.DagsterInstance
    home: Path
    target: Database


@pytest.fixture(scope="module")
def recorded(edge_databases: tuple[Database, Database], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    legacy, target = edge_databases
    home = tmp_path_factory.mktemp("backfill")
    with pytest.MonkeyPatch.context() as patch:
        configure(patch, legacy.url, target.url, home)
        with instance(Settings.load()) as own:
            first, second = execute_job(instance=own), execute_job(instance=own, tables=AGAIN)
            yield Recorded(first, second, own, home, target)


def materialization(recorded: Recorded, table: str) -> dg.AssetMaterialization:
    found = recorded.instance.fetch_materializations(dg.AssetKey(table), limit=10, ascending=True).records
    event = found[0].asset_materialization
    assert event is not None
    return event


def test_both_runs_succeed(recorded: Recorded) -> None:
    assert (recorded.first.errors, recorded.second.errors) == ({}, {})
    assert set(recorded.first.reports) == set(SPECS)
    assert runs(recorded.target) == [
        ("succeeded", None, recorded.first.run_id),
        ("succeeded", None, recorded.second.run_id),
    ]


def test_the_second_changes_nothing(recorded: Recorded) -> None:
    changed = {
        name: [report.total(Ledger.INSERTED), report.total(Ledger.UPDATED), report.removed]
        for name, report in recorded.second.reports.items()
    }
    assert changed == {name: [0, 0, 0] for name in AGAIN}


@pytest.mark.parametrize("table", sorted(SPECS))
def test_a_materialization_says_what_became_of_the_rows(recorded: Recorded, table: str) -> None:
    report = recorded.first.reports[table]
    metadata = materialization(recorded, table).metadata
    assert metadata["rows read"].value == report.read
    assert metadata["rows inserted"].value == report.total(Ledger.INSERTED)
    assert metadata["rows quarantined"].value == report.total(Ledger.QUARANTINED)
    assert metadata["rows held"].value == report.total(Ledger.HELD)
    assert ("dagster/row_count" in metadata) == (SPECS[table].no_source is None)
    if "dagster/row_count" in metadata:
        assert metadata["dagster/row_count"].value == report.rows_in_target
    assert metadata["dagster/table_name"].value == f"public.{SPECS[table].name}"
    assert {"bytes", "seconds", "rows per second", "dagster/column_schema", "dagster/column_lineage"} <= set(metadata)
    assert ("rules" in metadata) == any(account.rules for account in report.accounts.values())
    assert ("warnings" in metadata) == bool(report.warnings)
    assert metadata["decisions to know of"].value == sum(report.decision_warnings.values())


def test_what_the_archive_holds_is_in_the_metadata_column_by_column(recorded: Recorded) -> None:
    """Counts only; the token of an agent is withheld, because no sealing key is set."""
    records = {record.data["column"]: record.data for record in materialization_records(recorded, "agents")}
    assert records["token_hash"] == {
        "legacy table": "agents",
        "column": "token_hash",
        "rule": "must_enrol_again",
        "rows": 1,
        "bytes": 0,
        "sealed": 0,
        "withheld": 1,
        "retired": 0,
    }
    [retired] = [
        one.data for one in materialization_records(recorded, "user_security") if one.data["rule"] == "retired"
    ]
    assert (retired["column"], retired["rows"], retired["retired"]) == ("totp_secret", 0, 1)


def materialization_records(recorded: Recorded, table: str) -> list[dg.TableRecord]:
    found = materialization(recorded, table).metadata["archived values"]
    assert isinstance(found, dg.TableMetadataValue)
    return list(found.records)


def test_a_second_preparation_outdates_nothing(recorded: Recorded) -> None:
    found = recorded.instance.fetch_materializations(dg.AssetKey("target_schema"), limit=10).records
    versions = {
        (record.asset_materialization.tags or {})["dagster/data_version"]
        for record in found
        if record.asset_materialization
    }
    assert (len(found), len(versions)) == (2, 1)


def test_the_preparation_and_the_completion_say_what_they_made(recorded: Recorded) -> None:
    assert materialization(recorded, "target_schema").metadata["tables created"].value == 48
    assert int(str(materialization(recorded, "target_constraints").metadata["foreign keys made"].value)) > 40


@pytest.mark.parametrize("table", sorted(name for name, spec in SPECS.items() if spec.sources))
def test_checks_are_recorded(recorded: Recorded, table: str) -> None:
    rules = [rule for account in recorded.first.reports[table].accounts.values() for rule in account.rules]
    for name in ("source_contract", "target_contract", "conservation"):
        record = recorded.instance.get_latest_asset_check_evaluation_record(dg.AssetCheckKey(dg.AssetKey(table), name))
        if record is None or record.event is None or record.event.dagster_event is None:
            assert name == "source_contract"
            continue
        evaluation = record.event.dagster_event.asset_check_evaluation_data
        assert evaluation.passed == ((Ledger.QUARANTINED, name) not in rules)
        assert evaluation.severity == (
            dg.AssetCheckSeverity.ERROR if name == "conservation" else dg.AssetCheckSeverity.WARN
        )


def test_the_run_is_recorded_with_its_job_and_its_source(recorded: Recorded) -> None:
    run = recorded.instance.get_run_by_id(recorded.first.run_id)
    assert run is not None
    assert (run.job_name, run.status) == ("resync", dg.DagsterRunStatus.SUCCESS)
    assert run.tags["remoteiq/run"] == "1"


def test_nothing_secret_is_stored(recorded: Recorded) -> None:
    stored = b"".join(path.read_bytes() for path in recorded.home.rglob("*") if path.is_file())
    assert b"rows quarantined" in stored
    assert [text for text in BETRAYALS if text.encode() in stored] == []
