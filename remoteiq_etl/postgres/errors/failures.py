"""An error as a text that holds no value of any row: what logs, alerts and Dagster may store of it.

Errors of both drivers are told by the catalogue, with what the server says of them where that names objects and limits alone.
Belongs here: that text, and what an error says of itself. Does not belong here: the classes of our own errors
(remoteiq_etl.errors), what a SQLSTATE means (see faults).
"""

import re
from collections.abc import Iterator

import psycopg
from adbc_driver_manager import Error as AdbcError

from remoteiq_etl.config.urls import redact_url
from remoteiq_etl.errors import RemoteIQError, SnapshotLost
from remoteiq_etl.frames.shown_text import visible
from remoteiq_etl.postgres.errors import faults
from remoteiq_etl.postgres.errors.faults import Fault

#: The errors of both drivers.
DATABASE_ERRORS = (psycopg.Error, AdbcError)

#: Who raises an error in a function of the database writes its text, and may put values into it.
_FUNCTION = re.compile(r"PL/\S+ function (?P<name>[\w.\"$]+)")
#: What a text about damage may show: where it is.
_DAMAGED = re.compile(r"(?:block \d+ of )?relation \"?[\w./]+\"?|pg_toast_\d+|index \"[^\"]+\"")


def describe(error: BaseException) -> str:
    """An error as text that holds no value of any row, with what to do: our own messages, those of the drivers by the catalogue."""
    if isinstance(error, RemoteIQError):
        return f"{type(error).__name__}: {visible(str(error))}"
    if not isinstance(error, DATABASE_ERRORS):
        return type(error).__name__
    return f"{brief(error)}{_place(error)}. {fault_of(error).advice}"


def brief(error: BaseException) -> str:
    """The same in a few words: without what to do."""
    if isinstance(error, RemoteIQError):
        return visible(str(error))
    if not isinstance(error, DATABASE_ERRORS):
        return type(error).__name__
    code = sqlstate_of(error)
    said = "; ".join(_said(error, code))
    known = f"SQLSTATE {code}{': ' if said else ''}{said}" if code else said
    return f"{fault_of(error).sentence} ({known})" if known else fault_of(error).sentence


def sqlstate_of(error: BaseException) -> str | None:
    """The SQLSTATE of an error of either driver; None where the server has given none."""
    return error.sqlstate or None if isinstance(error, DATABASE_ERRORS) else None


def fault_of(error: BaseException) -> Fault:
    """What the catalogue has of an error of either driver."""
    return faults.find(sqlstate_of(error), _text(error))


def follows(error: BaseException, first: BaseException) -> bool:
    """Whether an error only tells that another one was there first: it is no second cause."""
    if error is first:
        return True
    if isinstance(error, SnapshotLost):
        return _ends_session(first)
    return isinstance(error, DATABASE_ERRORS) and (
        fault_of(error).follows or (_ends_session(error) and _ends_session(first))
    )


def is_passing(error: BaseException) -> bool:
    """Whether what an error of a driver is about may be over at the next attempt: the server's state, not the statement."""
    if isinstance(error, AdbcError) and error.sqlstate:
        try:
            return issubclass(psycopg.errors.lookup(error.sqlstate), psycopg.OperationalError)
        except KeyError:
            return False
    return isinstance(error, psycopg.OperationalError) or (isinstance(error, AdbcError) and _ends_session(error))


def note_place(error: BaseException, place: str) -> None:
    """Remember with an error on which database it arose."""
    error.add_note(place)


def has_place(error: BaseException) -> bool:
    """Whether it is known on which database an error arose."""
    return bool(getattr(error, "__notes__", None))


def is_interruption(error: BaseException | None) -> bool:
    """Whether an error is Ctrl-C, or has taken its place: that of a session which was cut short in a statement does so."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def primary_text(error: BaseException) -> str:
    """What the server says in one line, which may hold values; empty where it says nothing."""
    if isinstance(error, psycopg.Error):
        return error.diag.message_primary or ""
    return _details(error).get("PG_DIAG_MESSAGE_PRIMARY", "")


def _ends_session(error: BaseException) -> bool:
    return isinstance(error, DATABASE_ERRORS) and fault_of(error).ends_session


def _said(error: BaseException, code: str | None) -> Iterator[str]:
    """What may be shown of an error: names and limits."""
    text, context = primary_text(error), _context(error)
    function = _FUNCTION.match(context)
    if function:
        yield f"raised in {function['name']}"
    elif code and code[:2] in faults.SHOWN and text:
        yield _shown(text)
    elif code and code.startswith("XX") and (found := _DAMAGED.search(text)):
        yield found[0]
    elif not code and isinstance(error, psycopg.OperationalError):
        yield _shown(str(error))
    if isinstance(error, psycopg.Error) and error.diag.constraint_name:
        yield f"constraint {error.diag.constraint_name} of {error.diag.table_name}"


def _shown(text: str) -> str:
    """The first line of a text, as it may stand in a terminal."""
    return visible(redact_url((text.strip().splitlines() or [""])[0])).rstrip(".")


def _place(error: BaseException) -> str:
    notes: list[str] = getattr(error, "__notes__", [])
    return f" in {notes[0]}" if notes else ""


def _text(error: BaseException) -> str:
    return primary_text(error) or str(error)


def _context(error: BaseException) -> str:
    """Where in the functions of the database an error arose; the innermost first."""
    if isinstance(error, psycopg.Error):
        return error.diag.context or ""
    return _details(error).get("PG_DIAG_CONTEXT", "")


def _details(error: BaseException) -> dict[str, str]:
    """The parts of an error of ADBC, by libpq's names."""
    details: list[tuple[bytes | str, bytes | str]] = getattr(error, "details", [])
    return {_as_text(name): _as_text(value) for name, value in details}


def _as_text(part: bytes | str) -> str:
    return part if isinstance(part, str) else part.decode(errors="replace")
