"""Errors of a statement over many rows: whether they are about one of the rows, and what may be said of them.

An error that is about rows is narrowed to them and quarantines them; any other ends the table. Belongs here: telling them
apart, and naming them without a value. Does not belong here: what a SQLSTATE means (see faults),
what becomes of the rows.
"""

from collections.abc import Mapping

import psycopg

from remoteiq_etl.postgres.errors import faults
from remoteiq_etl.postgres.errors.failures import primary_text, sqlstate_of

#: The rules under which a refused row is quarantined, by SQLSTATE or class; any other is REFUSED.
_RULES: Mapping[str, str] = {
    "23505": "unique_violation",
    "23503": "foreign_key_violation",
    "23514": "check_violation",
    "23502": "not_null_violation",
    "22": "value_refused",
}
REFUSED = "refused_by_target"


def is_about_rows(error: BaseException) -> bool:
    """Whether an error is about some of the rows of a statement, so that the others may pass without them."""
    code = sqlstate_of(error)
    if code is None:
        return isinstance(error, psycopg.DataError)  # the driver refuses a value before the server sees it
    return faults.find(code, primary_text(error)).about_rows


def rule_of(error: BaseException) -> str:
    """The rule under which a row with such an error is quarantined."""
    code = sqlstate_of(error) or "22"
    return _RULES.get(code) or _RULES.get(code[:2]) or REFUSED


def reason_of(error: BaseException, table: str) -> str:
    """SQLSTATE, and the constraint or index with its table, never a value. `table`: where the server names none."""
    state = sqlstate_of(error)
    code = f"SQLSTATE {state}" if state else "refused by the driver"
    name = error.diag.constraint_name if isinstance(error, psycopg.Error) else None
    if name is None:
        return f"{code} of {table}"
    place = error.diag.table_name if isinstance(error, psycopg.Error) else None
    return f"constraint {name} of {place or table} ({code})"
