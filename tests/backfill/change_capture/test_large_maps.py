"""Maps that are too large to be read at once are asked for single keys, and lead to the same rows."""

import pytest

from remoteiq_etl.backfill.run import open_run
from remoteiq_etl.spec.lookup import LazyLookup
from remoteiq_etl.state import maps
from tests.support.migrating import Migration

TABLES = ("organizations", "clients", "sites", "devices", "agents", "checks", "check_assignments", "check_runs")


def test_a_large_map_leads_to_the_same_rows(
    again: Migration, migration: Migration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maps, "SMALL_MAP", -1)
    migration.run(*TABLES)
    compared = {*TABLES} - {"checks"}  # those have seeds and users that were not loaded
    assert migration.checksums(compared.__contains__) == again.checksums(compared.__contains__)


def test_a_large_map_knows_of_its_keys_what_a_small_one_knows(
    again: Migration, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = ("devices", "devices")
    devices = "remoteiq_etl.legacy_devices_map"
    again.target.execute(
        f"UPDATE {devices} SET adopted = true WHERE legacy_key = (SELECT min(legacy_key) FROM {devices} WHERE legacy_table = 'devices')"
    )
    again.target.execute(
        f"UPDATE {devices} SET state = 'deleted' WHERE legacy_key = (SELECT max(legacy_key) FROM {devices} WHERE legacy_table = 'devices')"
    )
    with open_run(again.plan) as run:
        small = run.lookups.get(*place)
    monkeypatch.setattr(maps, "SMALL_MAP", -1)
    with open_run(again.plan) as run:
        large = run.lookups.get(*place)
        assert isinstance(large, LazyLookup)
        assert not isinstance(small, LazyLookup)
        keys = small.keys.to_pylist()
        assert dict(zip(large.keys.to_pylist(), large.new_keys.to_pylist(), strict=True)) == dict(
            zip(keys, small.new_keys.to_pylist(), strict=True)
        )
        assert large.decisions == small.decisions
        assert (large.adopted, large.quarantined, large.deleted) == (small.adopted, small.quarantined, small.deleted)
        assert small.adopted
        assert small.deleted
