"""What of the catalogue decides how rows read although none is written, told apart in words."""

from contextlib import closing

import pytest

from remoteiq_etl.backfill.source.relation_shape import altered, read_shapes
from remoteiq_etl.postgres.database import Database as EngineDatabase
from tests.support.server import Database

MADE = (
    "CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE things (id int, name text, mood mood, moods mood[], other int);"
    " CREATE TABLE child (LIKE things); INSERT INTO things VALUES (1)"
)
#: What is done to the table, and what of it is said.
CHANGES = {
    "ALTER TABLE child INHERIT things": "its partitions or children, its columns",
    "ALTER TABLE things DROP COLUMN name, ADD COLUMN name text DEFAULT 'x'": "its columns",
    "ALTER TABLE things ALTER name TYPE varchar(9)": "its columns",
    "ALTER TYPE mood RENAME VALUE 'bad' TO 'worse'": "labels of its types",
    "ALTER TABLE things RENAME TO others": "it is not there",
    "ALTER TABLE things ALTER name SET DEFAULT 'x'": None,
    "ALTER TABLE things DROP COLUMN other": None,
    "UPDATE things SET name = 'x'; CREATE INDEX ON things (name); ANALYZE things": None,
}


@pytest.mark.parametrize("statement", CHANGES)
def test_a_change_of_how_rows_read_is_told_and_no_other(empty_db: Database, statement: str) -> None:
    """A default for later rows, a column that nobody reads, an index: nothing of it changes a row that is there."""
    empty_db.execute(MADE)
    with closing(EngineDatabase(empty_db.url, "public").connect()) as session:
        columns = {"things": ["id", "name", "mood", "moods"], "none": ["id"]}
        before = read_shapes(session, columns)
        assert set(before) == {"things"}
        session.execute(statement)
        assert altered(before["things"], read_shapes(session, columns).get("things")) == CHANGES[statement]


def test_a_policy_counts_only_for_a_role_that_it_binds(empty_db: Database) -> None:
    empty_db.execute(MADE)
    role = empty_db.select_only_role()
    columns = {"things": ["id"]}
    with (
        closing(EngineDatabase(empty_db.url, "public").connect()) as owner,
        closing(EngineDatabase(empty_db.url_as(role), "public").connect()) as reader,
    ):
        before = [read_shapes(session, columns)["things"] for session in (owner, reader)]
        owner.execute("ALTER TABLE things ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON things USING (id < 5)")
        after = [read_shapes(session, columns)["things"] for session in (owner, reader)]
    assert [altered(*pair) for pair in zip(before, after, strict=True)] == [None, "its row security"]


def test_what_an_older_program_has_not_noted_is_taken_as_it_is() -> None:
    assert altered(None, {"columns": "x"}) is None
