"""Legacy and target in one database with two schemas: index builds do not wait for the snapshot of their run."""

import time
from pathlib import Path

import dagster as dg
import pytest

from tests.orchestration.conftest import configure, run_some
from tests.support.server import Database


def test_the_constraints_are_made_beside_the_snapshot(
    edge_db: Database, ephemeral: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, edge_db.url, f"{edge_db.url}&application_name=target", tmp_path)
    monkeypatch.setenv("REMOTEIQ_TARGET_SCHEMA", "redesigned")
    started = time.monotonic()
    outcome = run_some(ephemeral)
    assert outcome.errors == {}
    assert time.monotonic() - started < 60
    with edge_db.connect() as connection:
        query = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'redesigned' AND indexname LIKE 'idx_%'"
        row = connection.execute(query).fetchone()
    assert row is not None
    assert row[0] > 5
