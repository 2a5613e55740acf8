"""A migration configured by environment variables, as Dagster's processes find it, and instances to record it in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from remoteiq_etl.orchestration.jobs.execute import JobOutcome, execute_job
from tests.support.server import Database, Server

SOME_TABLES = "tests.orchestration.some_tables"


@pytest.fixture
def configured(edge_db: Database, target_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The edge-case database as legacy, an empty target; gives the target."""
    configure(monkeypatch, edge_db.url, target_db.url, tmp_path)
    return target_db


def configure(monkeypatch: pytest.MonkeyPatch, legacy_url: str, target_url: str, home: Path) -> None:
    monkeypatch.setenv("REMOTEIQ_LEGACY_URL", legacy_url)
    monkeypatch.setenv("REMOTEIQ_TARGET_URL", target_url)
    monkeypatch.setenv("REMOTEIQ_HOME", str(home / "home"))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)


@pytest.fixture
def ephemeral() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run_some(instance: dg.DagsterInstance, job: str = "resync", **more: Any) -> JobOutcome:
    return execute_job(job, instance=instance, definitions=SOME_TABLES, **more)


def runs(target: Database) -> list[tuple[Any, ...]]:
    """Status, error and orchestrator's run of each run of ours, oldest first."""
    with target.connect() as connection:
        query = "SELECT status, error, orchestrator_run_id FROM remoteiq_etl.runs ORDER BY id"
        return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def edge_databases(server: Server, edge_template: str) -> Iterator[tuple[Database, Database]]:
    """Legacy and target for a whole module."""
    databases = server.create_database(template=edge_template), server.create_database()
    yield databases
    for database in databases:
        database.drop()
