"""Which errors are about a row, the rule that each quarantines it under, and what is said of it."""

import psycopg
import pytest
from adbc_driver_manager import Error as AdbcError
from psycopg import errors

from remoteiq_etl.postgres.errors.row_errors import is_about_rows, reason_of, rule_of, sqlstate_of
from tests.support.server import Database

RULES = {
    "23505": "unique_violation", "23503": "foreign_key_violation", "23514": "check_violation", "23502": "not_null_violation",
    "22P02": "value_refused", "22003": "value_refused", "P0001": "refused_by_target", "54000": "refused_by_target",
}  # fmt: skip


@pytest.mark.parametrize("code", RULES)
def test_an_error_about_a_row_quarantines_it_under_the_rule_of_its_sqlstate(code: str) -> None:
    assert is_about_rows(errors.lookup(code)())
    assert rule_of(errors.lookup(code)()) == RULES[code]


@pytest.mark.parametrize("code", ["08006", "25006", "40P01", "42501", "53100", "55P03", "57014", "58030", "XX001"])
def test_an_error_that_another_row_would_meet_too_is_about_none(code: str) -> None:
    assert not is_about_rows(errors.lookup(code)())


def test_what_the_driver_refuses_itself_has_no_sqlstate_and_is_about_the_row() -> None:
    refused = psycopg.DataError("a NUL character")
    assert (sqlstate_of(refused), is_about_rows(refused), rule_of(refused)) == (None, True, "value_refused")
    assert reason_of(refused, "things") == "refused by the driver of things"
    assert not is_about_rows(psycopg.OperationalError("the connection is lost"))
    assert not is_about_rows(ValueError("no error of a driver"))


def test_a_reason_names_the_constraint_and_its_table_and_no_value(empty_db: Database) -> None:
    with empty_db.connect() as connection:
        connection.execute("CREATE TABLE things (name text CONSTRAINT short CHECK (length(name) < 9))")
        with pytest.raises(errors.CheckViolation) as raised:
            connection.execute("INSERT INTO things VALUES ('secret value')")
        assert "secret value" in str(raised.value)
        assert reason_of(raised.value, "stage of things") == "constraint short of things (SQLSTATE 23514)"
        with pytest.raises(errors.DataError) as refused:
            connection.execute("SELECT 'secret value'::int")
        assert reason_of(refused.value, "things") == "SQLSTATE 22P02 of things"


def test_errors_of_the_arrow_driver_are_told_apart_alike() -> None:
    found = AdbcError("refused", status_code=5, sqlstate="23514")  # type: ignore[arg-type]
    assert (sqlstate_of(found), is_about_rows(found), rule_of(found)) == ("23514", True, "check_violation")
    assert reason_of(found, "things") == "SQLSTATE 23514 of things"
