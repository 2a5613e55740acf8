"""An error as a text that holds no value of any row: what logs, alerts and Dagster may store of it.

Belongs here: that text. Does not belong here: the classes of our own errors (remoteiq_etl.errors).
"""

import psycopg

from remoteiq_etl.errors import RemoteIQError
from remoteiq_etl.frames.shown_text import visible


def describe(error: BaseException) -> str:
    """An error as text that holds no value of any row: our own messages, others by their class."""
    if isinstance(error, RemoteIQError):
        return f"{type(error).__name__}: {visible(str(error))}"
    if isinstance(error, psycopg.Error) and error.sqlstate:
        return f"{type(error).__name__} (SQLSTATE {error.sqlstate})"
    return type(error).__name__


def is_interruption(error: BaseException | None) -> bool:
    """Whether an error is Ctrl-C, or has taken its place: that of a session which was cut short in a statement does so."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None
