"""Errors of what Dagster itself keeps: its runs and events, in SQLite files of its home or in a database that dagster.yaml names.

They have nothing to do with the two databases of a migration, and they say so. Belongs here: telling them apart and their
sentences. Does not belong here: making the home (see instance), how its files are opened (see sqlite).
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from remoteiq_etl.errors import StorageFailed
from remoteiq_etl.postgres.errors import faults

#: Errors of a storage, whichever database it is in: this program itself asks none through SQLAlchemy or SQLite.
_ERRORS = (DBAPIError, sqlite3.Error)
_AWAY = "or move it away: the history of Dagster's UI goes with it, nothing of the migration, which is in the target"


@dataclass(frozen=True)
class StorageFault:
    """One kind of error: `words` in the text of SQLite, what it means, and what to do."""

    words: tuple[str, ...]
    sentence: str
    advice: str


STORAGE_FAULTS = (
    StorageFault(("locked", "busy"), "another process holds its database",
                 "Let that end (dagster dev, its daemon, a backup), and keep the directory on a disk of this machine"),
    StorageFault(("readonly", "unable to open", "permission", "read-only"), "it cannot be written",
                 "Give the user of this process the directory and all files in it, or name another one"),
    StorageFault(("full", "no space"), "its disk has no room left", "Free or add room there, or name a directory elsewhere"),
    StorageFault(("i/o error",), "its disk cannot be read or written", "Look at the disk, or name a directory elsewhere"),
    StorageFault(("malformed", "not a database"), "its database is damaged", f"Restore it, {_AWAY}"),
    StorageFault(("no such table", "no such column", "has no column"), "its tables are those of another version of Dagster",
                 f"Say dagster instance migrate with the same DAGSTER_HOME, {_AWAY}"),
)  # fmt: skip
_OTHER = StorageFault((), "its storage fails", f"Look at the directory and its dagster.yaml, {_AWAY}")


def explained(error: Exception, home: Path | str) -> Exception:
    """The same error; one of Dagster's storage as StorageFailed that names its home and what to do."""
    said = _said(error, Path(home))
    if said is None:
        return error
    fault = next((one for one in STORAGE_FAULTS if any(word in said.lower() for word in one.words)), _OTHER)
    failed = StorageFailed(
        f"Dagster cannot keep its records in {home} (DAGSTER_HOME): {fault.sentence} ({said})."
        f" {fault.advice}. What the run had committed in the target stays."
    )
    failed.__cause__ = error
    return failed


@contextlib.contextmanager
def explaining(home: Path) -> Iterator[None]:
    """Raise StorageFailed for what Dagster's storage raises within the block."""
    try:
        yield
    except (*_ERRORS, OSError) as error:
        raise explained(error, home) from error


def _said(error: Exception, home: Path) -> str | None:
    """What a storage said, without statement and parameters; None where it was not one."""
    if isinstance(error, OSError):
        inside = error.filename is not None and Path(str(error.filename)).is_relative_to(home)
        return (error.strerror or type(error).__name__) if inside else None
    if not isinstance(error, _ERRORS):
        return None
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return str(cause)
    code = getattr(cause, "pgcode", None) or getattr(cause, "sqlstate", None)
    sentence = faults.find(code, str(cause)).sentence
    return f"{sentence}, SQLSTATE {code}" if code else sentence
