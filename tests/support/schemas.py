"""Builds the schemas in a test's database, all at once or in the steps in which prepare and finalize do it."""

from collections.abc import Iterable

import psycopg
from psycopg import sql
from sqlalchemy import MetaData

from schemas import ddl, legacy, target
from tests.support.server import Database

METADATA = {"legacy": legacy.metadata, "target": target.metadata}


def build(connection: psycopg.Connection, side: str, schema: str) -> None:
    """Create the schema with all that belongs to it. The extensions must be there."""
    metadata = METADATA[side]
    run(connection, ddl.schema_ddl(schema))
    run(connection, ddl.create_enums(metadata, schema))
    run(connection, ddl.create_tables(metadata, schema, foreign_keys=True, indexes=True))


def build_in_steps(connection: psycopg.Connection, side: str, schema: str) -> None:
    """Create the bare tables first, then indexes, then foreign keys."""
    metadata = METADATA[side]
    run(connection, ddl.schema_ddl(schema))
    run(connection, ddl.create_enums(metadata, schema))
    run(connection, ddl.create_tables(metadata, schema, foreign_keys=False, indexes=False))
    run(connection, each(metadata, schema, "index_ddl"))
    for table in metadata.sorted_tables:
        run(connection, ddl.foreign_key_ddl(table, schema, not_valid=True))
        run(connection, ddl.validate_ddl(table, schema))


def each(metadata: MetaData, schema: str, function: str) -> list[str]:
    """Give the statements of one function of `schemas.ddl` for every table."""
    make = getattr(ddl, function)
    return [statement for table in metadata.sorted_tables for statement in make(table, schema)]


def function_of_application(schema: str) -> list[str]:
    """The trigger function as the new application creates it: `updated_at` becomes now() whatever is given."""
    pattern = (
        "CREATE OR REPLACE FUNCTION {}.set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $function$\n"
        "BEGIN\n    NEW.updated_at = now();\n    RETURN NEW;\nEND;\n$function$"
    )
    return [sql.SQL(pattern).format(sql.Identifier(schema)).as_string(None)]


def run(connection: psycopg.Connection, statements: Iterable[str]) -> None:
    for statement in statements:
        connection.execute(statement.encode())


def with_new_schema(database: Database) -> None:
    """Fill a template database with extensions and the redesigned schema in public, as the new application does."""
    with database.connect() as connection:
        run(connection, ddl.extension_ddl())
        build(connection, "target", "public")
        run(connection, function_of_application("public"))
        run(connection, each(target.metadata, "public", "trigger_ddl"))
