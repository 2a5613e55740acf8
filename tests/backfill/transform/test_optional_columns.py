"""Columns that a running installation has beside the redesign's are filled and cast to their type; without them the
values are archived.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from remoteiq_etl.backfill.context.report import Ledger, TableReport
from remoteiq_etl.frames.text import normalise
from schemas import legacy
from schemas.target.optional import OPTIONAL_COLUMNS
from tests.support.migrating import Migration, foreign_target, migrated_target, with_dependencies
from tests.support.server import Database, Server

USERS = ("organizations", "users")
#: Every optional column with a type that an installation may have given it.
TYPES = {
    "users": {
        "name": "varchar(200)",
        "phone": "text",
        "address1": "citext",
        "address2": "text",
        "city": "varchar",
        "state": "varchar(64)",
        "postal": "text",
        "country": "varchar(64) NOT NULL DEFAULT ''",
        "timezone": "text",
        "locale": "varchar(20)",
        "avatar_url": "text",
        "avatar_thumb_url": "text",
    },
    "agents": {"hostname": "citext", "token_hash": "text", "client_id": "uuid", "site_id": "text"},
    "devices": {"client_id": "uuid"},
    "tickets": {"client_id": "varchar(36)", "site_id": "uuid"},
    "check_assignments": {"dedupe_key": "text", "check_type": "varchar(40)", "check_name": "text"},
    "check_runs": {"device_id": "uuid"},
}
#: Target column → what it must hold, of the legacy row l and the target row t.
NAMED = "(SELECT decision ->> 'name' FROM remoteiq_etl.legacy_{0}s_map WHERE new_key::text = t.{0}_id::text LIMIT 1)"
PLACES = [("agents", "client"), ("agents", "site"), ("devices", "client"), ("tickets", "client"), ("tickets", "site")]
UNCHANGED = [
    (table, column)
    for table, columns in OPTIONAL_COLUMNS.items()
    for column in columns
    if column in legacy.metadata.tables[f"legacy.{table}"].columns and table != "check_runs"
]


Appeared = tuple["Filled", dict[str, TableReport], Migration]


def add_columns(target: Database, tables: dict[str, dict[str, str]] = TYPES) -> None:
    for table, columns in tables.items():
        for name, kind in columns.items():
            target.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")


@dataclass(frozen=True)
class Filled:
    """A migration with what its target has in its optional columns, by table and legacy key."""

    migration: Migration

    def values(self, table: str, expression: str) -> dict[str, str | None]:
        """One value per legacy row that was written, as text."""
        query = (
            f"SELECT m.legacy_key::text, ({expression})::text FROM {table} AS t"
            f" JOIN remoteiq_etl.legacy_{table}_map AS m ON m.new_key = t.id AND m.legacy_table = '{table}' AND m.state = 'live'"
        )
        return dict(self.migration.query(query))

    def legacy(self, table: str, column: str) -> dict[str, str | None]:
        with self.migration.legacy.connect() as connection:
            return dict(connection.execute(f"SELECT id::text, {column}::text FROM {table}".encode()).fetchall())


@pytest.fixture(scope="module")
def filled(server: Server, edge_template: str) -> Iterator[Filled]:
    """Every optional column is there before the first run. Only to be looked at."""
    databases = server.create_database(template=edge_template), foreign_target(server)
    add_columns(databases[1])
    migration = Migration.of(*databases)
    migration.run(*with_dependencies(TYPES))
    yield Filled(migration)
    for database in databases:
        database.drop()


@pytest.fixture(scope="module")
def appeared(server: Server, edge_template: str) -> Iterator[Appeared]:
    """The columns appear after the first runs and before the next."""
    source = server.create_database(template=edge_template)
    migration = migrated_target(server, source)
    add_columns(migration.target)
    yield Filled(migration), migration.run(*TYPES), migration
    for database in (source, migration.target):
        database.drop()


def test_the_types_of_this_test_are_of_every_optional_column() -> None:
    assert {table: tuple(columns) for table, columns in TYPES.items()} == OPTIONAL_COLUMNS


@pytest.mark.parametrize(
    ("table", "column"), [place for place in UNCHANGED if place != ("check_assignments", "dedupe_key")]
)
def test_a_column_of_the_same_name_is_carried_unchanged(filled: Filled, table: str, column: str) -> None:
    found, wanted = filled.values(table, f"t.{column}"), filled.legacy(table, column)
    empty = "" if "DEFAULT" in TYPES[table][column] else None
    assert found == {key: empty if wanted[key] is None else wanted[key] for key in found}
    assert any(value is not None for value in found.values())


@pytest.mark.parametrize(("table", "column"), PLACES)
def test_client_and_site_are_those_that_the_row_names(filled: Filled, table: str, column: str) -> None:
    """By the recorded spelling of the name; an invented place (a site without client, a ticket's customer) has another name."""
    names = filled.values(table, NAMED.format(column))
    wanted = filled.legacy(table, column)
    said = {key: (name, wanted[key]) for key, name in names.items() if (wanted[key] or "").strip()}
    assert said
    assert {key: pair for key, pair in said.items() if normalise(pair[0]) != normalise(pair[1])} == {}


def test_the_device_of_a_run_is_the_one_that_its_text_means_else_that_of_its_assignment(filled: Filled) -> None:
    found = filled.values("check_runs", "t.device_id")
    assigned = filled.values("check_runs", "SELECT target_id FROM check_assignments WHERE id = t.assignment_id")
    texts = filled.legacy("check_runs", "device_id")
    own = dict(
        filled.migration.query(
            "SELECT legacy_key, new_key::text FROM remoteiq_etl.legacy_devices_map WHERE legacy_table = 'devices'"
        )
    )
    assert {key: device for key, device in found.items() if texts[key] is None and device != assigned[key]} == {}
    meant = {key: own[text] for key, text in texts.items() if key in found and text in own}
    assert meant
    assert {key: found[key] for key in meant} == meant


@pytest.mark.parametrize("table", OPTIONAL_COLUMNS)
def test_what_is_filled_is_not_archived(filled: Filled, table: str) -> None:
    columns = [column for each, column in UNCHANGED if each == table]
    query = 'SELECT DISTINCT "column" FROM remoteiq_etl.legacy_archive WHERE legacy_table = %s AND "column" = ANY (%s)'
    assert filled.migration.query(query, table, columns) == []


@pytest.mark.parametrize(("table", "column"), UNCHANGED)
def test_without_the_column_every_value_is_archived(appeared: Appeared, table: str, column: str) -> None:
    """Of each row that was written; a secret is withheld. What the first run archived stays when the column appears."""
    without = appeared[0]
    archive = "SELECT legacy_key, value #>> '{}', withheld FROM remoteiq_etl.legacy_archive WHERE (legacy_table, \"column\") = (%s, %s)"
    kept = {key: (value, withheld) for key, value, withheld in without.migration.query(archive, table, column)}
    written, values = without.values(table, "1"), without.legacy(table, column)
    wanted = {key: value for key, value in values.items() if key in written and value is not None}
    assert wanted
    secret = (None, True)
    assert {key: kept.get(key) for key in wanted} == {
        key: secret if column == "token_hash" else (value, False) for key, value in wanted.items()
    }


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, columns in OPTIONAL_COLUMNS.items() for column in columns]
)
def test_a_column_that_appears_is_filled_at_the_next_run(
    filled: Filled, appeared: Appeared, table: str, column: str
) -> None:
    """With the same values as if it had been there all the time."""
    assert appeared[0].values(table, f"t.{column}") == filled.values(table, f"t.{column}")


def test_a_column_that_appears_is_no_conflict_and_its_rows_are_updated(
    appeared: Appeared,
) -> None:
    _, reports, migration = appeared
    conflicts = {table: report.total(Ledger.CONFLICT) for table, report in reports.items()}
    assert conflicts == dict.fromkeys(conflicts, 0)
    with_a_value = {
        table: sum(
            any(row[name] is not None for name, kind in columns.items() if "DEFAULT" not in kind) for row in rows
        )
        for table, columns in TYPES.items()
        if (rows := migration.rows(table))
    }
    assert {table: reports[table].total(Ledger.UPDATED) for table in TYPES} == with_a_value
    assert all(with_a_value.values())


def test_then_nothing_is_written_any_more(appeared: Appeared) -> None:
    migration = appeared[2]
    versions = migration.versions()
    reports = migration.run(*TYPES)
    assert migration.versions() == versions
    assert {
        table for table, report in reports.items() if report.total(Ledger.UPDATED) + report.total(Ledger.INSERTED)
    } == set()


# --- types ------------------------------------------------------------------------------------------------------

GOOD, BAD = "c5000000-0000-4000-8000-000000000001", "c5000000-0000-4000-8000-000000000004"
#: Column of users → its type, a text that it takes, the value as PostgreSQL shows it, a text that it does not take.
CASTS = {
    "phone": ("integer", " 42 ", "42", "forty-two"),
    "address1": ("varchar(4)", "Bern", "Bern", "Genève"),
    "address2": ("char(3)", "ab", "ab", "abcd"),
    "city": ("uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "no uuid"),
    "state": ("jsonb", '{"b": 1.10, "token": "x"}', '{"b": 1.10, "token": "x"}', "{"),
    "postal": ("postal_code", "3000", "3000", "CH-3000"),
    "country": ("json", '{"b" : 1e400}', '{"b" : 1e400}', "nothing"),
    "timezone": ("timestamptz", "2024-01-02 03:04:00+02", "2024-01-02 01:04:00+00", "soon"),
    "locale": ("boolean", "yes", "true", "perhaps"),
    "avatar_url": ("numeric(6,2)", "12.3", "12.30", "1234567"),
    "avatar_thumb_url": ("inet", "192.0.2.7", "192.0.2.7/32", "example.com"),
}
COLUMNS = ", ".join(f"t.{name}::text" for name in CASTS)


@pytest.fixture
def typed(migration: Migration) -> Migration:
    """One user whose every optional value fits its column, and one of whom none does."""
    migration.target.execute("CREATE DOMAIN postal_code AS text CHECK (VALUE ~ '^[0-9]+$')")
    add_columns(migration.target, {"users": {name: cast[0] for name, cast in CASTS.items()}})
    with migration.legacy.connect() as connection:
        connection.execute(f"UPDATE users SET {', '.join(f'{name} = NULL' for name in CASTS)}".encode())
        for user, which in ((GOOD, 1), (BAD, 3)):
            values = [cast[which] for cast in CASTS.values()]
            assignments = ", ".join(f"{name} = %s" for name in CASTS)
            connection.execute(f"UPDATE users SET {assignments} WHERE id = '{user}'".encode(), values)
    return migration


def shown(migration: Migration, user: str) -> list[tuple[str | None, ...]]:
    with migration.target.connect() as connection:
        connection.execute("SET timezone = 'UTC'")
        return connection.execute(f"SELECT {COLUMNS} FROM users AS t WHERE id = '{user}'".encode()).fetchall()


@pytest.mark.every_postgres
@pytest.mark.parametrize("planned", [False, True], ids=["first run", "after a plan"])
def test_values_are_cast_to_the_type_of_the_column_and_those_that_do_not_fit_quarantine_their_row(
    typed: Migration, planned: bool
) -> None:
    """Named by column, and nothing of it is written; the other rows are."""
    if planned:
        plan = typed.run(*USERS, planning=True)["users"]
        assert plan.accounts["users"].rules[(Ledger.QUARANTINED, "cast_refused")] == 1
    report = typed.run(*USERS)["users"]
    assert shown(typed, GOOD) == [tuple(cast[2] for cast in CASTS.values())]
    assert shown(typed, BAD) == []
    assert report.accounts["users"].rules[(Ledger.QUARANTINED, "cast_refused")] == 1
    assert report.accounts["users"].accounted == report.accounts["users"].read
    query = "SELECT legacy_key, columns, detail FROM remoteiq_etl.quarantine WHERE rule = 'cast_refused'"
    [[key, columns, detail]] = typed.query(query)
    assert (key, set(columns)) == (BAD, set(CASTS))
    assert "phone: no value of the column's type in the target" in detail
    assert "forty-two" not in detail
    again = typed.run(*USERS)["users"]
    assert (again.total(Ledger.UPDATED), again.total(Ledger.INSERTED), again.total(Ledger.CONFLICT)) == (0, 0, 0)


def test_a_row_that_fits_again_is_written_and_released(typed: Migration) -> None:
    typed.run(*USERS)
    typed.legacy.execute(f"UPDATE users SET {', '.join(f'{name} = NULL' for name in CASTS)} WHERE id = '{BAD}'")
    assert typed.run(*USERS)["users"].total(Ledger.INSERTED) == 1
    assert shown(typed, BAD) == [(None,) * len(CASTS)]
    assert typed.query("SELECT released_run FROM remoteiq_etl.quarantine WHERE rule = 'cast_refused'") == [(2,)]


def test_a_migrated_row_that_fits_no_more_keeps_its_last_good_state(typed: Migration) -> None:
    typed.run(*USERS)
    good = shown(typed, GOOD)
    typed.legacy.execute(f"UPDATE users SET phone = 'many', postal = '4000' WHERE id = '{GOOD}'")
    report = typed.run(*USERS)["users"]
    assert shown(typed, GOOD) == good
    assert report.accounts["users"].rules[(Ledger.QUARANTINED, "cast_refused")] == 2


def test_an_adopted_row_gets_the_values_that_it_lacks(typed: Migration) -> None:
    """Whatever their type; one that is there is a conflict."""
    typed.run("organizations")
    typed.target.execute(
        "INSERT INTO users (organization_id, email, password_hash, phone, country)"
        " SELECT organization_id, 'ADA@example.com', '!', 7, '{\"b\": 2}' FROM (SELECT id AS organization_id FROM organizations) AS o"
    )
    assert typed.run(*USERS)["users"].total(Ledger.ADOPTED) == 1
    expected = {name: cast[2] for name, cast in CASTS.items()} | {"phone": "7", "country": '{"b": 2}'}
    [row] = typed.query(f"SELECT {COLUMNS} FROM users AS t WHERE email = 'ADA@example.com'")
    assert dict(zip(CASTS, row, strict=True)) == {**expected, "timezone": row[list(CASTS).index("timezone")]}
    [[columns]] = typed.query("SELECT columns FROM remoteiq_etl.conflicts WHERE table_name = 'users'")
    assert {"phone", "country"} <= set(columns)
    assert set(columns) & set(CASTS) == {"phone", "country"}


def test_a_column_that_vanishes_is_archived_again(migration: Migration) -> None:
    add_columns(migration.target, {"users": {"phone": "text"}})
    migration.run(*USERS)
    migration.target.execute("ALTER TABLE users DROP COLUMN phone")
    report = replace(migration).run(*USERS)["users"]
    assert (report.total(Ledger.CONFLICT), report.total(Ledger.UPDATED)) == (0, 0)
    archived = (
        "SELECT count(*) > 0 FROM remoteiq_etl.legacy_archive WHERE (legacy_table, \"column\") = ('users', 'phone')"
    )
    assert migration.query(archived) == [(True,)]
