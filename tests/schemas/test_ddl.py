"""The DDL is valid, quoted, and its trigger keeps updated_at only when asked."""

import datetime as dt
from types import ModuleType

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import Table

from schemas import ddl, legacy, target
from tests.support import schemas
from tests.support.server import Database

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def organization(connection: psycopg.Connection) -> str:
    row = connection.execute("INSERT INTO organizations (name, slug) VALUES ('Acme', 'acme') RETURNING id").fetchone()
    return row[0]


def client(connection: psycopg.Connection) -> None:
    values = [organization(connection), LONG_AGO]
    connection.execute("INSERT INTO clients (organization_id, name, updated_at) VALUES (%s, 'Acme', %s)", values)


def updated_at(connection: psycopg.Connection) -> dt.datetime:
    return connection.execute("SELECT updated_at FROM clients").fetchone()[0]


@pytest.fixture
def new_schema(target_db: Database) -> Database:
    with target_db.connect() as connection:
        schemas.build(connection, "target", "public")
    return target_db


def with_trigger(database: Database, function: list[str]) -> psycopg.Connection:
    connection = database.connect(autocommit=False)
    schemas.run(connection, function)
    schemas.run(connection, schemas.each(target.metadata, "public", "trigger_ddl"))
    client(connection)
    connection.commit()
    return connection


@pytest.mark.every_postgres
def test_trigger_sets_updated_at(new_schema: Database) -> None:
    """Without our setting the function does what the application's does."""
    for function in (ddl.set_updated_at_ddl, schemas.function_of_application):
        new_schema.execute("DROP FUNCTION IF EXISTS set_updated_at CASCADE; TRUNCATE organizations CASCADE")
        with with_trigger(new_schema, function("public")) as connection:
            connection.execute("UPDATE clients SET name = 'ACME', updated_at = %s", [LONG_AGO])
            now = connection.execute("SELECT now()").fetchone()[0]
            assert updated_at(connection) == now


@pytest.mark.every_postgres
def test_trigger_keeps_updated_at_when_asked(new_schema: Database) -> None:
    """With the setting on, a given value stays, and so does the old one of an update that gives none."""
    with with_trigger(new_schema, ddl.set_updated_at_ddl("public")) as connection:
        connection.execute(f"SET LOCAL {ddl.PRESERVE_SETTING} TO on")
        connection.execute("UPDATE clients SET name = 'ACME'")
        assert updated_at(connection) == LONG_AGO
        earlier = LONG_AGO - dt.timedelta(days=1)
        connection.execute("UPDATE clients SET updated_at = %s", [earlier])
        assert updated_at(connection) == earlier


def test_setting_ends_with_its_transaction(new_schema: Database) -> None:
    """A connection whose earlier transaction had the setting gets the application's behaviour back.

    Afterwards the setting is an empty text, not unknown: that must not be taken for on.
    """
    with with_trigger(new_schema, ddl.set_updated_at_ddl("public")) as connection:
        connection.execute(f"SET LOCAL {ddl.PRESERVE_SETTING} TO on")
        connection.commit()
        connection.execute("UPDATE clients SET updated_at = %s", [LONG_AGO])
        assert updated_at(connection) > LONG_AGO


def test_the_application_function_knows_no_setting(new_schema: Database) -> None:
    with with_trigger(new_schema, schemas.function_of_application("public")) as connection:
        connection.execute(f"SET LOCAL {ddl.PRESERVE_SETTING} TO on")
        connection.execute("UPDATE clients SET updated_at = %s", [LONG_AGO])
        assert updated_at(connection) > LONG_AGO


def test_triggers_stand_on_every_table_with_updated_at_but_organizations() -> None:
    with_column = {table.name for table in target.metadata.sorted_tables if "updated_at" in table.columns}
    with_statement = {table.name for table in target.metadata.sorted_tables if ddl.trigger_ddl(table, "public")}
    assert with_column - with_statement == {"organizations"}
    assert with_statement <= with_column


@pytest.mark.every_postgres
def test_everything_is_created_in_a_schema_that_needs_quotes(target_db: Database) -> None:
    """Function and triggers go to the named schema, and work whatever the search_path is."""
    schema = 'Odd "name"'
    with target_db.connect() as connection:
        schemas.build_in_steps(connection, "target", schema)
        schemas.run(connection, ddl.set_updated_at_ddl(schema))
        schemas.run(connection, schemas.each(target.metadata, schema, "trigger_ddl"))
        connection.execute('SELECT set_config(\'search_path\', \'"Odd ""name""", public\', false)')
        client(connection)
        connection.execute("SET search_path TO pg_catalog")
        connection.execute('UPDATE "Odd ""name""".clients SET name = \'ACME\'')
        found = connection.execute('SELECT updated_at > %s FROM "Odd ""name""".clients', [LONG_AGO]).fetchone()
    assert found == (True,)


def test_foreign_keys_that_are_not_valid_refuse_new_rows_and_validate_later(target_db: Database) -> None:
    """A row without parent that is there already stays until the key is validated; a new one is refused at once."""
    orphan = "INSERT INTO sites (client_id, name) VALUES (gen_random_uuid(), 'HQ')"
    with target_db.connect() as connection:
        schemas.run(connection, ddl.create_enums(target.metadata, "public"))
        schemas.run(connection, ddl.create_tables(target.metadata, "public", foreign_keys=False, indexes=False))
        connection.execute(orphan)
        schemas.run(connection, ddl.foreign_key_ddl(target.sites, "public", not_valid=True))
        with pytest.raises(errors.ForeignKeyViolation):
            connection.execute(orphan)
        with pytest.raises(errors.ForeignKeyViolation):
            schemas.run(connection, ddl.validate_ddl(target.sites, "public"))


def test_legacy_ids_count_on(legacy_db: Database) -> None:
    """A bigserial and the identity column give the next number, and an explicit ticket number is accepted."""
    with legacy_db.connect() as connection:
        insert = "INSERT INTO email_inbound_events (purpose) VALUES ('alerts') RETURNING id"
        assert [connection.execute(insert).fetchone()[0] for _ in range(2)] == [1, 2]
        assert connection.execute("INSERT INTO tickets (title) VALUES ('a') RETURNING number").fetchone() == (1,)
        connection.execute("INSERT INTO tickets (title, number) VALUES ('b', 1)")


def test_extension_statements_may_be_repeated(empty_db: Database) -> None:
    for _ in range(2):
        empty_db.execute(";".join(ddl.extension_ddl()))
    with empty_db.connect() as connection:
        found = {row[0] for row in connection.execute("SELECT extname FROM pg_extension").fetchall()}
    assert found >= {"citext", "pgcrypto"}


@pytest.mark.parametrize("package", [legacy, target])
def test_every_table_is_an_attribute_of_its_package(package: ModuleType) -> None:
    for table in package.metadata.sorted_tables:
        found = getattr(package, table.name)
        assert isinstance(found, Table)
        assert found is table
    with pytest.raises(AttributeError, match="has no table 'check_run'"):
        _ = package.check_run


def test_names_fit_into_an_identifier() -> None:
    """PostgreSQL cuts a name after 63 bytes; two cut names could be equal."""
    for metadata in schemas.METADATA.values():
        for table in metadata.sorted_tables:
            named = [*table.constraints, *table.indexes]
            assert all(len(str(thing.name)) <= 63 for thing in named)
