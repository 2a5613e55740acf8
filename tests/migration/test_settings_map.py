"""legacy_settings_map of the state schema says which legacy setting went where, and follows what legacy has."""

from remoteiq_etl.backfill.context.report import Ledger
from schemas.state.decisions import legacy_settings_map
from tests.support.migrating import Migration, bare_target
from tests.support.server import Database, Server

TABLES = ("organizations", "organization_settings")
MAP = "SELECT legacy_table, legacy_key, legacy_column, settings_type, path, outcome, run_id FROM remoteiq_etl.legacy_settings_map"
Row = tuple[str, str, str, int]


def mapped(migration: Migration) -> dict[tuple[str, str, str], Row]:
    return {row[:3]: row[3:] for row in migration.query(MAP)}


def test_every_value_in_the_settings_is_where_the_map_says(migration: Migration) -> None:
    """And no other: each path that is carried has the legacy value, and each key that came from legacy is carried."""
    migration.run(*TABLES)
    found = mapped(migration)
    carried = {(kind, path): place for place, (kind, path, outcome, _) in found.items() if outcome == "carried"}
    assert len(carried) > 30
    for (kind, path), (table, key, column) in carried.items():
        keys = "{" + path.replace(".", ",") + "}"
        [[value]] = migration.query(f"SELECT {kind} #> %s FROM organization_settings", keys)
        with migration.legacy.connect() as connection:
            statement = f"SELECT to_jsonb({column}) FROM {table} WHERE id::text = %s"
            assert connection.execute(statement.encode(), [key]).fetchone() == (value,), (table, column)
    [[keys]] = migration.query("SELECT array(SELECT jsonb_object_keys(branding)) FROM organization_settings")
    assert {path for kind, path in carried if kind == "branding"} == set(keys)


def test_a_second_run_writes_nothing_and_a_change_follows(migration: Migration, edge_db: Database) -> None:
    """A value that appears, one that goes, and another row that is read: changed rows are written, vanished ones removed."""
    migration.run(*TABLES)
    first, versions = (
        mapped(migration),
        migration.query("SELECT xmin::text, ctid::text FROM remoteiq_etl.legacy_settings_map"),
    )
    migration.run(*TABLES)
    assert migration.query("SELECT xmin::text, ctid::text FROM remoteiq_etl.legacy_settings_map") == versions
    edge_db.execute(
        "UPDATE company_profile SET legal_name = NULL WHERE id = 1;"
        " INSERT INTO branding_settings (id, primary_color) VALUES (99, '#123456');"
        " DELETE FROM localization_settings"
    )
    assert migration.run(*TABLES)["organization_settings"].total(Ledger.UPDATED) == 1
    now = mapped(migration)
    assert {place for place in first if place not in now} == {
        place for place in first if place[0] in ("branding_settings", "localization_settings")
    }
    assert now["branding_settings", "99", "primary_color"] == ("branding", "primaryColor", "carried", 3)
    changed = {place for place in now.keys() & first.keys() if now[place] != first[place]}
    assert changed == {("company_profile", "1", "legal_name")}
    assert (first["company_profile", "1", "legal_name"][2:], now["company_profile", "1", "legal_name"][2:]) == (
        ("carried", 1),
        ("empty", 3),
    )


def test_each_source_has_its_own(migration: Migration, edge_db: Database) -> None:
    migration.run(*TABLES)
    first = mapped(migration)
    other = Migration.of(edge_db, migration.target, source="second", organization_slug="second")
    other.run(*TABLES)
    counts = "SELECT count(*) FROM remoteiq_etl.legacy_settings_map GROUP BY source_id"
    assert other.query(counts) == [(len(first),), (len(first),)]
    edge_db.execute("DELETE FROM company_profile")
    other.run(*TABLES)
    assert other.query(f"{counts} ORDER BY source_id") == [(len(first),), (len(first) - 13,)]


def test_a_plan_writes_none(migration: Migration) -> None:
    migration.run(*TABLES, planning=True)
    assert mapped(migration) == {}


def test_its_columns_are_explained_in_the_catalogue(migration: Migration) -> None:
    migration.run("organizations")
    comments = migration.query(
        "SELECT a.attname, col_description(a.attrelid, a.attnum), obj_description(a.attrelid, 'pg_class') FROM pg_attribute a"
        " WHERE a.attrelid = 'remoteiq_etl.legacy_settings_map'::regclass AND a.attnum > 0"
    )
    assert {name: comment for name, comment, _ in comments} == {
        column.name: column.comment for column in legacy_settings_map.columns
    }
    assert {table for _, _, table in comments} == {legacy_settings_map.comment}


def test_an_older_state_schema_gets_it_and_it_is_no_map_of_an_entity(edge_db: Database, server: Server) -> None:
    """Its name looks like that of one."""
    target = bare_target(server)
    migration = Migration.of(edge_db, target)
    migration.run("organizations")
    target.execute("DROP TABLE remoteiq_etl.legacy_settings_map; UPDATE remoteiq_etl.meta SET schema_version = 2")
    migration.run(*TABLES)
    target.execute("UPDATE remoteiq_etl.meta SET schema_version = 2")
    migration.run(*TABLES)
    columns = (
        "SELECT attname FROM pg_attribute WHERE attrelid = 'remoteiq_etl.legacy_settings_map'::regclass AND attnum > 0"
    )
    assert {row[0] for row in migration.query(columns)} == set(legacy_settings_map.columns.keys())
    assert mapped(migration)
    target.drop()
