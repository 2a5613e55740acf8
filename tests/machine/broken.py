"""Runs that end in the middle: at the n-th statement the program fails, or the server ends its sessions."""

from dataclasses import dataclass

import psycopg
from adbc_driver_manager import Error as AdbcError

from remoteiq_etl.errors import RemoteIQError
from tests.support.server import Database


class Killed(RemoteIQError):
    """The failure that is injected."""


@dataclass
class At:
    """An observer that ends the run at a statement: by an error here, or of the sessions with these databases."""

    statement: int
    ends_sessions_of: tuple[Database, ...] = ()
    count: int = 0

    def __call__(self, _statement: str) -> None:
        self.count += 1
        if self.count == self.statement:
            if not self.ends_sessions_of:
                raise Killed(f"at statement {self.statement}")
            for database in self.ends_sessions_of:
                _end_sessions(database)


#: How a run ends whose sessions are gone, or that was told to fail.
ENDS = (Killed, psycopg.OperationalError, AdbcError)


def _end_sessions(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'remoteiq-etl'"
        )
