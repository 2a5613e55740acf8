"""The extract: batches bounded by rows and bytes, times that no calendar holds set apart."""

import json
from contextlib import closing

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remoteiq_etl.backfill.source import extract
from remoteiq_etl.backfill.source.snapshot import Snapshot
from remoteiq_etl.errors import SnapshotLost
from remoteiq_etl.postgres import row_hash
from remoteiq_etl.postgres.database import Database as EngineDatabase
from remoteiq_etl.spec.batch import HASH, KEY
from remoteiq_etl.spec.table import Source
from schemas import legacy
from tests.support.server import Database


def engine(database: Database) -> EngineDatabase:
    return EngineDatabase(database.url, "public", read_only=True, session=row_hash.session_settings(b"k" * 32))


@given(st.lists(st.integers(0, 40), max_size=8), st.integers(1, 25))
def test_rebatched_rows_are_the_same_rows_in_order(sizes: list[int], rows: int) -> None:
    numbers = iter(range(sum(sizes)))
    batches = [pa.record_batch({"n": pa.array([next(numbers) for _ in range(size)], pa.int64())}) for size in sizes]
    tables = list(extract.rebatched(iter(batches), rows))
    assert [value for table in tables for value in table.column("n").to_pylist()] == list(range(sum(sizes)))
    assert all(0 < table.num_rows <= rows for table in tables)


def test_large_texts_end_a_batch_early() -> None:
    batch = pa.record_batch({"t": pa.array(["x" * 1000] * 100)})
    tables = list(extract.rebatched(iter([batch]), 1000, size=10_000))
    assert max(table.num_rows for table in tables) <= 10
    assert sum(table.num_rows for table in tables) == 100


@pytest.mark.every_postgres
def test_times_out_of_range_are_null_and_set_apart(legacy_db: Database) -> None:
    legacy_db.execute(
        "INSERT INTO check_runs (device_id, status, started_at, finished_at, created_at)"
        " VALUES ('d', 'OK', '-infinity', '20000-01-01', '2024-05-06 07:08:09.123456+00')"
    )
    with Snapshot(engine(legacy_db)) as snapshot, closing(snapshot.reader()) as reader:
        (frame,) = extract.frames(reader, Source(legacy.check_runs, lambda batch, _: batch), 100)
    row = frame.iloc[0]
    assert frame[["started_at", "finished_at"]].isna().all().all()
    assert row["created_at"].isoformat() == "2024-05-06T07:08:09.123456+00:00"
    assert json.loads(row[extract.ODD_TIMES]) == {"started_at": "-infinity", "finished_at": "20000-01-01 00:00:00+00"}
    assert row[KEY] == row["id"]
    assert len(row[HASH]) == 16


def test_composite_keys_are_json_arrays(legacy_db: Database) -> None:
    legacy_db.execute(
        "INSERT INTO roles (id, name) VALUES ('0f000000-0000-4000-8000-000000000001', 'A');"
        "INSERT INTO permissions (id, key, label, group_key, group_label) VALUES"
        " ('9e000000-0000-4000-8000-000000000001', 'k', 'l', 'g', 'G');"
        "INSERT INTO role_permissions VALUES ('0f000000-0000-4000-8000-000000000001', '9e000000-0000-4000-8000-000000000001')"
    )
    with Snapshot(engine(legacy_db)) as snapshot, closing(snapshot.reader()) as reader:
        (frame,) = extract.frames(reader, Source(legacy.role_permissions, lambda batch, _: batch), 100)
    assert frame[KEY].to_list() == ['["0f000000-0000-4000-8000-000000000001","9e000000-0000-4000-8000-000000000001"]']


def test_readers_see_the_snapshot_and_not_what_came_after(legacy_db: Database) -> None:
    legacy_db.execute("INSERT INTO check_runs (device_id, status) VALUES ('before', 'OK')")
    with Snapshot(engine(legacy_db)) as snapshot:
        legacy_db.execute("INSERT INTO check_runs (device_id, status) VALUES ('after', 'OK')")
        with closing(snapshot.reader()) as reader:
            assert reader.table("SELECT device_id FROM check_runs").column(0).to_pylist() == ["before"]


def test_a_lost_snapshot_is_said_so(legacy_db: Database) -> None:
    with Snapshot(engine(legacy_db)) as snapshot:
        legacy_db.execute(f"SELECT pg_terminate_backend({snapshot.session.connection.info.backend_pid})")
        with pytest.raises(SnapshotLost, match="start the run again"):
            snapshot.reader()
