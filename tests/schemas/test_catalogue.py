"""Both schemas, built on a real PostgreSQL, are what the fact files say."""

from collections.abc import Callable

import psycopg
import pytest

from tests.schemas import catalogue
from tests.support import schemas
from tests.support.server import Database

Build = Callable[[psycopg.Connection, str, str], None]

pytestmark = pytest.mark.every_postgres


@pytest.mark.parametrize("build", [schemas.build, schemas.build_in_steps])
@pytest.mark.parametrize("side", schemas.METADATA)
# Neither a reserved word, a quotation mark nor a capital in the schema's name may matter.
@pytest.mark.parametrize("schema", ["public", 'The "user"'])
def test_schema_is_what_the_facts_say(target_db: Database, side: str, build: Build, schema: str) -> None:
    """Every column, constraint, index and enum label is there and nothing else, whichever way it was built."""
    with target_db.connect() as connection:
        build(connection, side, schema)
        found = {what: catalogue.found(connection, schema, what) for what in catalogue.FILES}
    assert found == {what: catalogue.expected(side, what) for what in catalogue.FILES}


def test_fact_files_are_complete() -> None:
    """The facts name 35 and 48 tables, and 319 and 374 columns."""
    for side, tables, columns in (("legacy", 35, 319), ("target", 48, 374)):
        facts = catalogue.expected(side, "columns")
        assert (len({row[0] for row in facts}), facts.total()) == (tables, columns)
