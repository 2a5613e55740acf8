"""`prune`, and the size of Dagster's records in `status`."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.support.server import Database

NOWHERE = {"legacy": "postgresql:///nowhere?host=/nowhere", "target": "postgresql:///either?host=/nowhere"}


@pytest.fixture
def records(cli: Cli, tmp_path: Path) -> Path:
    """The home of Dagster, with a file of a megabyte."""
    home = tmp_path / "home" / "dagster"
    home.mkdir(parents=True)
    (home / "left").write_bytes(b"x" * 1_000_000)
    return home


def test_status_tells_the_size_and_of_much_what_to_do(
    cli: Cli, edge_db: Database, empty_db: Database, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = cli("status", legacy=edge_db, target=empty_db).out
    assert "Dagster's records of runs take 1.0 MB." in shown
    assert "prune" not in shown
    monkeypatch.setattr("remoteiq_etl.cli.run.status._MUCH", 999_999)
    assert "remoteiq-etl prune deletes those of old runs" in cli("status", legacy=edge_db, target=empty_db).out
    found = json.loads(cli("status", "--json", legacy=edge_db, target=empty_db).out)
    assert found["dagster"] == {"home": str(records), "bytes": 1_000_000}


def test_before_any_record_there_is_no_size(cli: Cli, edge_db: Database, empty_db: Database) -> None:
    assert "records" not in cli("status", legacy=edge_db, target=empty_db).out


def test_prune_needs_no_database_and_says_what_it_did(cli: Cli, records: Path) -> None:
    ended = cli("prune", **NOWHERE)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("0 runs deleted; 1.")
    assert ended.out.endswith(" MB now.\n")
    found = json.loads(cli("prune", "--json", **NOWHERE).out)
    assert (found["runs"], found["held"], found["busy"]) == (0, 0, [])
