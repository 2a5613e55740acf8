"""The state schema as people who write SQL find it: comments, views, keys, and the queries of docs/state.md."""

import re
from pathlib import Path

import psycopg
import pytest

from remoteiq_etl.errors import StateVersionError
from tests.support.migrating import Migration
from tests.support.server import Database

DOCUMENT = Path(__file__).parents[2] / "docs" / "state.md"
#: What is in its queries whose result is empty until somebody has changed something.
EMPTY_AT_FIRST = (
    "before_images", "NOT EXISTS", "resets", "stage_history", "cutovers", "rehearsals", "gate_approvals", "state_archives",
    "fall_back_batches", "application_parts",
)  # fmt: skip


def _queries() -> list[str]:
    return re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)


def _uncommented(database: Database) -> list[str]:
    """Tables, views and their columns of the state schema of which the catalogue says nothing."""
    query = (
        "SELECT concat_ws('.', c.relname, a.attname) FROM pg_class AS c"
        " LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.relnamespace = 'remoteiq_etl'::regnamespace AND c.relkind IN ('r', 'v')"
        " AND (obj_description(c.oid, 'pg_class') IS NULL OR col_description(c.oid, a.attnum) IS NULL)"
    )
    with database.connect() as connection:
        return [row[0] for row in connection.execute(query).fetchall()]


def test_the_catalogue_says_what_every_table_view_and_column_means(settled: Migration) -> None:
    assert _uncommented(settled.target) == []


def test_each_map_has_a_view_and_one_covers_them_all(settled: Migration) -> None:
    maps = settled.query(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'remoteiq_etl' AND tablename LIKE 'legacy\\_%\\_map'"
        " AND tablename <> 'legacy_settings_map' ORDER BY 1"
    )
    entities = [name.removeprefix("legacy_").removesuffix("_map") for (name,) in maps]
    counted = {}
    for entity in entities:
        columns = settled.query(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY ordinal_position",
            f"map_{entity}",
        )
        assert [name for (name,) in columns] == [
            "legacy_table", "legacy_key", "new_key", "rule", "first_run", "last_run", "state", "source",
        ]  # fmt: skip
        counted[entity] = settled.query(f"SELECT count(*) FROM remoteiq_etl.map_{entity}")[0][0]
    over_all = dict(settled.query("SELECT entity, count(*) FROM remoteiq_etl.map_all GROUP BY entity"))
    assert over_all == {entity: rows for entity, rows in counted.items() if rows}
    assert len(over_all) > 30


def test_a_view_shows_a_legacy_row_its_new_key_rule_runs_state_and_source(settled: Migration) -> None:
    rows = settled.query("SELECT * FROM remoteiq_etl.map_roles WHERE rule = 'equal_name' ORDER BY legacy_key")
    assert {(row[0], row[4], row[6], row[7]) for row in rows} == {("roles", 1, "merged", "default")}
    winner = settled.query("SELECT state FROM remoteiq_etl.map_roles WHERE new_key = %s AND state = 'live'", rows[0][2])
    assert winner == [("live",)]


@pytest.mark.parametrize("query", _queries(), ids=lambda query: query.split("FROM ")[1].split()[0])
def test_the_queries_of_the_document_run_and_find_what_they_promise(settled: Migration, query: str) -> None:
    found = settled.query(query)
    assert bool(found) != any(part in query for part in EMPTY_AT_FIRST)


def test_a_reporting_user_needs_no_right_but_on_the_views(again: Migration) -> None:
    with again.target.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute("CREATE ROLE reporting NOLOGIN")
        connection.execute("GRANT USAGE ON SCHEMA remoteiq_etl TO reporting")
        connection.execute("GRANT SELECT ON remoteiq_etl.map_all, remoteiq_etl.map_devices TO reporting")
        connection.execute("SET LOCAL ROLE reporting")
        for view in ("map_all", "map_devices"):
            assert connection.execute(f"SELECT source FROM remoteiq_etl.{view} LIMIT 1".encode()).fetchall()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT hash_key FROM remoteiq_etl.sources")


def test_several_legacy_keys_lead_to_one_row_only_by_a_rule(settled: Migration) -> None:
    several = settled.query(
        "SELECT a.entity, a.state, a.rule FROM remoteiq_etl.map_all AS a JOIN remoteiq_etl.map_all AS b"
        " USING (entity, new_key, source) WHERE b.state = 'live' AND a.state <> 'live'"
    )
    assert {state for _, state, _ in several} == {"merged", "decided"}
    assert {rule for _, _, rule in several} & {"kept", "adopted"} == set()
    assert settled.query(
        "SELECT entity, new_key FROM remoteiq_etl.map_all WHERE state = 'live' GROUP BY entity, new_key, source HAVING count(*) > 1"
    ) == []  # fmt: skip


def test_the_database_refuses_a_second_live_key_for_a_row_and_a_second_row_for_a_key(again: Migration) -> None:
    columns = "source_id, legacy_table, legacy_key, new_key, rule, state, adopted, first_run, last_run"
    maps = again.query("SELECT DISTINCT entity FROM remoteiq_etl.map_all WHERE state = 'live' ORDER BY 1")
    assert len(maps) > 30
    for (entity,) in maps:
        one = f"FROM remoteiq_etl.legacy_{entity}_map WHERE state = 'live' LIMIT 1"
        kind = again.query(f"SELECT pg_typeof(legacy_key)::text {one}")[0][0]
        other = {"uuid": "gen_random_uuid()", "bigint": "-1"}.get(kind, "'another key'")
        for changed in (columns.replace("legacy_key", other), columns.replace("new_key", "NULL")):
            with pytest.raises(psycopg.errors.UniqueViolation):
                again.target.execute(f"INSERT INTO remoteiq_etl.legacy_{entity}_map ({columns}) SELECT {changed} {one}")


def test_an_older_state_gets_the_views_and_the_comments(again: Migration) -> None:
    again.target.execute(
        "UPDATE remoteiq_etl.meta SET schema_version = 6; DROP VIEW remoteiq_etl.map_all, remoteiq_etl.map_roles;"
        " COMMENT ON COLUMN remoteiq_etl.legacy_users_map.state IS NULL; COMMENT ON TABLE remoteiq_etl.runs IS NULL"
    )
    again.run("organizations")
    assert _uncommented(again.target) == []
    assert again.query("SELECT count(*) > 0 FROM remoteiq_etl.map_roles") == [(True,)]
    assert again.query("SELECT count(DISTINCT entity) > 30 FROM remoteiq_etl.map_all") == [(True,)]


def test_a_view_is_replaced_in_place_so_that_rights_and_what_is_built_on_it_stay(again: Migration) -> None:
    again.target.execute(
        "GRANT SELECT ON remoteiq_etl.map_all TO public;"
        " CREATE VIEW of_a_report AS SELECT entity, new_key FROM remoteiq_etl.map_all;"
        " UPDATE remoteiq_etl.meta SET schema_version = 6"
    )
    again.run("organizations")
    assert again.query("SELECT count(*) > 0 FROM of_a_report") == [(True,)]
    assert again.query("SELECT has_table_privilege('public', 'remoteiq_etl.map_all', 'SELECT')") == [(True,)]


def test_a_view_with_other_columns_is_made_anew_unless_something_is_built_on_it(again: Migration) -> None:
    again.target.execute(
        "DROP VIEW remoteiq_etl.map_roles; CREATE VIEW remoteiq_etl.map_roles AS SELECT 1 AS of_another_version;"
        " CREATE VIEW of_a_report AS SELECT * FROM remoteiq_etl.map_roles;"
        " UPDATE remoteiq_etl.meta SET schema_version = 6"
    )
    with pytest.raises(StateVersionError, match=r"remoteiq_etl.map_roles has columns of another version"):
        again.run("organizations")
    assert again.query("SELECT schema_version FROM remoteiq_etl.meta") == [(6,)]
    again.target.execute("DROP VIEW of_a_report")
    again.run("organizations")
    assert again.query("SELECT count(new_key) > 0 FROM remoteiq_etl.map_roles") == [(True,)]


def test_the_views_are_there_before_the_first_map(migration: Migration) -> None:
    with pytest.raises(KeyError):
        migration.run("no_such_table", specs={})["no_such_table"]
    assert migration.query("SELECT * FROM remoteiq_etl.map_all") == []
    migration.run("organizations")
    assert migration.query("SELECT entity, state FROM remoteiq_etl.map_all") == [("organizations", "live")]
    assert _uncommented(migration.target) == []
