"""A refusal names an object; what the role of the session lacks on it is found, with the statement that gives it."""

import re

import psycopg
import pytest

from remoteiq_etl.postgres.errors.rights import missing_right
from tests.support.server import Database


@pytest.fixture
def reader(empty_db: Database) -> str:
    empty_db.execute("CREATE TABLE things (id int); CREATE SCHEMA cellar; CREATE TABLE cellar.wine (id int)")
    return empty_db.url_as(empty_db.select_only_role())


def refused(url: str, statement: str) -> str:
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege) as said:
        connection.execute(statement.encode())
    return said.value.diag.message_primary or ""


@pytest.mark.parametrize(
    ("statement", "writes", "expected"),
    [
        (
            "INSERT INTO public.things VALUES (1)",
            True,
            r"lacks the right .*INSERT.* on the table .*things\. GRANT .* TO ",
        ),
        (
            "TABLE cellar.wine",
            False,
            r"lacks the right USAGE on the schema .*cellar\. GRANT USAGE ON SCHEMA .*cellar TO ",
        ),
        ("ALTER TABLE public.things ADD more int", True, r"only its owner tester may do that to the table .*things"),
    ],
)
def test_what_is_lacking_is_named_with_the_statement_that_gives_it(
    reader: str, statement: str, writes: bool, expected: str
) -> None:
    sentence = missing_right(reader, refused(reader, statement), writes=writes)
    assert sentence is not None
    assert psycopg.conninfo.conninfo_to_dict(reader)["user"] in sentence
    assert re.search(expected, sentence), sentence


def test_a_text_that_names_nothing_tells_nothing(reader: str) -> None:
    assert missing_right(reader, "permission denied", writes=False) is None
