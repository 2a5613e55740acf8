"""What a table depends on and has changed since: maps that it recalls excuse only what they have changed since."""

from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import Label
from tests.support.migrating import Migration, with_dependencies
from tests.support.server import Database

ROWS = (
    "INSERT INTO devices (id, hostname, os, arch, last_seen, status, client, site) VALUES"
    " ('d0000001-0000-4000-8000-000000000001', 'host-1', 'linux', 'x64', '2024-01-01', 'online', 'Acme', 'HQ'),"
    " ('d0000001-0000-4000-8000-000000000002', 'host-2', 'linux', 'x64', '2024-01-01', 'online', 'Solo', 'HQ')"
)
LOST = (
    "DELETE FROM {table} WHERE name = '{name}';"
    " DELETE FROM remoteiq_etl.legacy_{table}_map WHERE decision ->> 'name' = '{name}'"
)


def test_what_the_first_run_loads_later_excuses_nothing(legacy_db: Database, our_target: Database) -> None:
    """Clients and sites recall the map of devices, which is filled after them: the first verdict is the second one's."""
    legacy_db.execute(ROWS)
    migration = Migration.of(legacy_db, our_target)
    migration.run(*with_dependencies({"clients", "sites", "devices"}))
    our_target.execute("SET session_replication_role = replica;" + LOST.format(table="clients", name="Solo"))
    (verdict,) = verify(migration.plan, ["clients"]).tables
    assert {(one.check, one.kind, one.label) for one in verdict.findings if one.legacy_key == "solo"} == {
        ("opinion", "missing", Label.BUG)
    }


def test_a_recalled_map_that_a_run_has_changed_says_so(legacy_db: Database, our_target: Database) -> None:
    """The device of an earlier run that the last one found deleted after clients was completed: a run may decide otherwise."""
    legacy_db.execute(ROWS)
    migration = Migration.of(legacy_db, our_target)
    tables = with_dependencies({"clients", "sites", "devices"})
    migration.run(*tables)
    our_target.execute("DELETE FROM devices WHERE hostname = 'host-1'")
    migration.run(*tables)
    our_target.execute("SET session_replication_role = replica;" + LOST.format(table="clients", name="Solo"))
    (verdict,) = verify(migration.plan, ["clients"]).tables
    found = {one.detail for one in verdict.findings if one.label is Label.CHANGED_IN_LEGACY}
    assert found == {"the map of devices has changed since the table was last completed"}
