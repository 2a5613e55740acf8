"""Rows deleted in the target: made again when an operator asks, under their old id, and not before."""

from remoteiq_etl.backfill.context.report import Ledger
from tests.support.migrating import Migration
from tests.support.server import Database

TABLES = ("organizations", "clients", "sites", "devices")
COUNT = "SELECT count(*) FROM {} WHERE id = %s"


def deleted_client(migration: Migration) -> tuple[str, str]:
    """Load, and delete a client with its sites: its legacy and its new key."""
    migration.run(*TABLES)
    found = migration.query(
        "SELECT m.legacy_key, m.new_key::text FROM remoteiq_etl.legacy_clients_map m"
        " JOIN sites s ON s.client_id = m.new_key WHERE m.state = 'live' GROUP BY 1, 2 ORDER BY 1 LIMIT 1"
    )[0]
    migration.target.execute(
        f"DELETE FROM devices WHERE site_id IN (SELECT id FROM sites WHERE client_id = '{found[1]}');"
        f"DELETE FROM sites WHERE client_id = '{found[1]}'; DELETE FROM clients WHERE id = '{found[1]}'"
    )
    return found


def test_a_deleted_row_and_its_children_stay_away(either: Migration) -> None:
    """Noticed although no legacy row changed; the children are counted by the name of the rule."""
    _, client = deleted_client(either)
    for _ in range(2):
        reports = either.run(*TABLES)
        assert either.query(COUNT.format("clients"), client) == [(0,)]
        assert either.query("SELECT count(*) FROM sites WHERE client_id = %s", client) == [(0,)]
        assert all(report.total(Ledger.INSERTED) == 0 for report in reports.values())
    rules = "SELECT sum((rules -> 'filtered' ->> 'parent_deleted_in_target')::int) > 0 FROM remoteiq_etl.ledger"
    assert either.query(rules) == [(True,)]


def test_a_row_is_made_again_under_its_old_id(either: Migration) -> None:
    key, client = deleted_client(either)
    report = either.run(*TABLES, recreate={"clients": frozenset({key})})["clients"]
    assert (report.total(Ledger.INSERTED), report.recreated) == (1, 1)
    assert either.query(COUNT.format("clients"), client) == [(1,)]
    assert either.query("SELECT count(*) FROM sites WHERE client_id = %s", client) == [(0,)], "nobody asked for those"


def test_all_rows_of_tables_are_made_again_parents_first(migration: Migration) -> None:
    deleted_client(migration)
    migration.run(*TABLES)
    migration.target.execute("DELETE FROM devices; DELETE FROM sites; DELETE FROM clients")
    everything = {name: frozenset[str]() for name in TABLES[1:]}
    reports = migration.run(*TABLES, recreate=everything)
    again = {name: reports[name].recreated for name in TABLES[1:]}
    there = {name: migration.query(f"SELECT count(*) FROM {name}")[0][0] for name in TABLES[1:]}
    assert again == there
    assert min(again.values()) > 1


def test_only_the_row_that_was_named_by_its_new_key_comes_back(migration: Migration, edge_db: Database) -> None:
    migration.run(*TABLES)
    one, other = (row[0] for row in migration.query("SELECT id::text FROM devices ORDER BY 1 LIMIT 2"))
    migration.target.execute(f"DELETE FROM devices WHERE id IN ('{one}', '{other}')")
    report = migration.run(*TABLES, recreate={"devices": frozenset({other})})["devices"]
    assert (report.recreated, report.total(Ledger.DELETED)) == (1, 1)
    assert migration.query(COUNT.format("devices"), one) == [(0,)]
