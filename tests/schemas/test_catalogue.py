"""Both schemas, built on a real PostgreSQL, are what the fact files say."""

import psycopg
import pytest

from schemas import ddl, legacy, target
from tests.schemas import catalogue

SIDES = {"legacy": legacy.metadata, "target": target.metadata}


def build(connection: psycopg.Connection, side: str, schema: str, *, at_once: bool) -> None:
    metadata = SIDES[side]
    statements = [
        *ddl.extension_ddl(),
        *ddl.schema_ddl(schema),
        *ddl.create_enums(metadata, schema),
        *ddl.create_tables(metadata, schema, foreign_keys=at_once, indexes=at_once),
    ]
    if not at_once:
        for table in metadata.sorted_tables:
            statements += ddl.index_ddl(table, schema)
            statements += ddl.foreign_key_ddl(table, schema, not_valid=True)
            statements += ddl.validate_ddl(table, schema)
    for statement in statements:
        connection.execute(statement)


@pytest.fixture(scope="module", params=["at once", "in steps"])
def built(request, private_server):
    with psycopg.connect(private_server) as connection:
        for side in SIDES:
            build(connection, side, f"The {side}", at_once=request.param == "at once")
        yield connection
        connection.rollback()


@pytest.mark.parametrize("what", catalogue.FILES)
@pytest.mark.parametrize("side", SIDES)
def test_schema_is_what_the_facts_say(built, side, what):
    """Every column, constraint, index and enum label is there, and nothing else, whichever way it was built."""
    assert catalogue.found(built, f"The {side}", what) == catalogue.expected(side, what)
