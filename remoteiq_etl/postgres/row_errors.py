"""Errors of a statement over many rows: whether they are about one of the rows, and what may be said of them.

An error that is about rows is narrowed to them and quarantines them; any other ends the table. Belongs here: telling them
apart by SQLSTATE, and naming them without a value. Does not belong here: what becomes of the rows.
"""

from collections.abc import Mapping

import psycopg
from adbc_driver_manager import Error as AdbcError

#: Classes of SQLSTATE that are about the connection, the server, its rights and limits, or the statement itself: another row
#: would fare no better. https://www.postgresql.org/docs/current/errcodes-appendix.html
NOT_ABOUT_ROWS = frozenset(
    {
        "08",  # connection
        "25",  # transaction state: read-only, for one
        "26",  # statement name
        "28",  # authorization
        "34",  # cursor name
        "3B",  # savepoint
        "3D",  # no such database
        "3F",  # no such schema
        "40",  # rollback: deadlock, serialization
        "42",  # rights, and what no statement could do: no such table, column or function
        "53",  # resources: disk, memory, connections
        "55",  # locks, and objects in the wrong state
        "57",  # intervention: cancelled, timed out, shutting down
        "58",  # the system under the server
        "72",  # snapshot too old
        "F0",  # configuration file
        "HV",  # foreign data
    }
)
#: The rules under which a refused row is quarantined, by SQLSTATE or class; any other is REFUSED.
_RULES: Mapping[str, str] = {
    "23505": "unique_violation",
    "23503": "foreign_key_violation",
    "23514": "check_violation",
    "23502": "not_null_violation",
    "22": "value_refused",
}
REFUSED = "refused_by_target"

#: Damaged pages and indexes; the rest of their class is what the server did not expect of a value ("invalid memory alloc").
_DAMAGE = frozenset({"XX001", "XX002"})


def sqlstate_of(error: BaseException) -> str | None:
    """The SQLSTATE of an error of either driver; None where the server has given none."""
    if not isinstance(error, psycopg.Error | AdbcError):
        return None
    return error.sqlstate or None


def is_about_rows(error: BaseException) -> bool:
    """Whether an error is about some of the rows of a statement, so that the others may pass without them."""
    code = sqlstate_of(error)
    if code is None:
        return isinstance(error, psycopg.DataError)  # the driver refuses a value before the server sees it
    return code[:2] not in NOT_ABOUT_ROWS and code not in _DAMAGE


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
