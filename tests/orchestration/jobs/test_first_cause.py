"""The first cause of a failed run is named once; what could be done without it is done, what could not stands in one line."""

from collections.abc import Callable

import dagster as dg
import pytest

from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.backfill.load_table import TableLoad
from remoteiq_etl.orchestration.jobs.execute import JobOutcome
from tests.orchestration.conftest import run_some, runs
from tests.support.server import Database

RETRY_TAG = "dagster/retry_on_asset_or_op_failure"


def before_the_first(monkeypatch: pytest.MonkeyPatch, act: Callable[[TableLoad], object]) -> None:
    """Let something happen before the first table is loaded."""
    original = TableLoad.execute

    def execute(load: TableLoad) -> TableReport:
        if load.spec.name == "organizations":
            act(load)
        return original(load)

    monkeypatch.setattr(TableLoad, "execute", execute)


def loaded(outcome: JobOutcome) -> set[str]:
    return set(outcome.reports)


@pytest.mark.parametrize(
    "act",
    [
        lambda load: load.run.snapshot.session.execute("SELECT 1 / 0"),
        lambda load: load.run.reader.table("SELECT 1 / 0 AS n"),
        lambda load: load.run.session.execute("SELECT 1 / 0"),
    ],
    ids=["snapshot", "reader", "target"],
)
def test_a_statement_that_fails_for_one_table_is_not_the_fault_of_the_next(
    configured: Database,
    ephemeral: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[TableLoad], object],
) -> None:
    """A transaction on the legacy database that it aborts goes on before it, with the same snapshot."""
    before_the_first(monkeypatch, act)
    outcome = run_some(ephemeral)
    assert set(outcome.errors) == {"organizations"}, outcome.errors
    assert outcome.errors["organizations"].startswith("the server refuses a value (SQLSTATE 22012) in postgresql://")
    assert {"permissions", "automations"} <= loaded(outcome)
    assert "25P02" not in str(outcome.errors)


def test_a_right_that_is_revoked_meanwhile_is_told_with_its_grant(
    configured: Database, edge_db: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = edge_db.select_only_role()
    monkeypatch.setenv("REMOTEIQ_LEGACY_URL", edge_db.url_as(role))
    before_the_first(
        monkeypatch, lambda _load: edge_db.execute(f"REVOKE SELECT ON roles, role_permissions, permissions FROM {role}")
    )
    outcome = run_some(ephemeral)
    assert set(outcome.errors) == {"permissions"}, outcome.errors
    assert outcome.errors["permissions"].startswith("RightRefused: in postgresql://")
    assert f"TO {role};" in outcome.errors["permissions"]
    assert "GRANT SELECT ON TABLE public." in outcome.errors["permissions"]
    assert {"organizations", "clients", "sites", "automations"} <= loaded(outcome)


@pytest.mark.parametrize("side", ["legacy", "target"])
def test_sessions_that_were_ended_are_told_once(
    configured: Database, edge_db: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, side: str
) -> None:
    """Every later table fails because of it, and none of them has an error of its own."""
    ended = configured if side == "target" else edge_db
    kill = f"SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = '{ended.name}' AND pid <> pg_backend_pid()"
    before_the_first(monkeypatch, lambda _load: ended.execute(kill))
    outcome = run_some(ephemeral)
    assert set(outcome.errors) == {"organizations"}
    assert "pg_terminate_backend" in outcome.errors["organizations"]
    assert {"permissions", "clients", "sites"} <= set(outcome.skipped)
    run = ephemeral.get_run_by_id(outcome.run_id)
    assert run is not None
    assert run.tags[RETRY_TAG] == "true"
    if side == "legacy":
        ((status, error, _),) = runs(configured)
        assert (status, error) == ("failed", outcome.errors["organizations"])
