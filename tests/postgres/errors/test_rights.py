"""What a refusal of the server names, and which right on it the role lacks."""

import psycopg
import pytest

from remoteiq_etl.postgres.errors.rights import missing_right
from tests.support.server import Database


def test_what_is_lacking_is_told_with_the_statement_that_gives_it(empty_db: Database) -> None:
    """As the server itself refuses it: once that was granted, nothing is lacking any more."""
    empty_db.execute(
        'CREATE TABLE "Things" (id int); CREATE SCHEMA shut; CREATE TABLE shut.inside (id int);'
        " CREATE FUNCTION secret_one(n int) RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION secret_one FROM public"
    )
    role = empty_db.select_only_role()
    expected = {
        'INSERT INTO "Things" VALUES (1)': ("INSERT, UPDATE, DELETE", "table", 'public."Things"'),
        "SELECT FROM shut.inside": ("USAGE", "schema", "shut"),
        "SELECT secret_one(1)": ("EXECUTE", "function", "public.secret_one(n integer)"),
        "CREATE TABLE more (id int)": ("CREATE", "schema", "public"),
    }
    for statement, (rights, kind, name) in expected.items():
        with (
            empty_db.connect(role=role) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege) as refused,
        ):
            connection.execute(statement.encode())
        said = missing_right(empty_db.url_as(role), str(refused.value.diag.message_primary), writes=True)
        grant = f"GRANT {rights} ON {kind.upper()} {name} TO {role};"
        assert said == f"{role} lacks the right {rights} on the {kind} {name}. {grant}"
        empty_db.execute(grant)
        assert missing_right(empty_db.url_as(role), str(refused.value.diag.message_primary), writes=True) != said


def test_who_only_reads_lacks_no_right_to_write(empty_db: Database) -> None:
    empty_db.execute("CREATE TABLE things (id int)")
    reader = empty_db.url_as(empty_db.select_only_role())
    assert missing_right(reader, "permission denied for table things", writes=False) is None
    assert "INSERT, UPDATE, DELETE on" in str(missing_right(reader, "permission denied for table things", writes=True))
    assert missing_right(reader, "permission denied for table something", writes=True) is None


def test_what_only_the_owner_may_do_is_told_with_the_owner(empty_db: Database) -> None:
    empty_db.execute("CREATE TABLE things (id int)")
    role = empty_db.select_only_role()
    said = missing_right(empty_db.url_as(role), "must be owner of table things", writes=True)
    assert said == (
        f"only its owner tester may do that to the table public.things, and {role} is not it."
        f" GRANT tester TO {role}; or connect as tester."
    )


def test_of_a_server_that_cannot_be_asked_nothing_is_told() -> None:
    assert missing_right("postgresql://someone@127.0.0.1:1/none", "permission denied for table t", writes=True) is None
