"""One snapshot per run: a read-only transaction on the legacy database whose snapshot every reader imports."""

import contextlib
from collections.abc import Callable, Collection, Mapping
from types import TracebackType

import psycopg

from remoteiq_etl.backfill.source.database_identity import read_identity
from remoteiq_etl.backfill.source.relation_shape import read_shapes
from remoteiq_etl.config.urls import redact_url
from remoteiq_etl.errors import ConfigurationError, SnapshotLost
from remoteiq_etl.postgres.arrow import ArrowSession, connect_arrow
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.postgres.errors.failures import DATABASE_ERRORS, sqlstate_of

#: The savepoint of the session that holds the snapshot, set when it is exported.
_READABLE = "readable"
#: What servers say of a snapshot that is not theirs: an identifier that they cannot read, know no file of, or of another database.
_NO_SUCH_SNAPSHOT = frozenset({"22023", "42704", "0A000"})


class Snapshot:
    """The exporter's transaction. The snapshot lives as long as it is open.

    `xmin` and `xmax` (64 bit): transactions older than the first are all over, those from the second on are not seen.
    `database`: which database it is, told by these `tables` (name → columns that are read) besides (see database_identity);
    `shapes`: what the catalogue says of each of them.
    """

    def __init__(self, legacy: Database, tables: Mapping[str, Collection[str]] | None = None) -> None:
        with contextlib.ExitStack() as begins:
            self.session: Session = legacy.connect()
            self.legacy = self.session.database
            begins.callback(self.session.close)
            self.session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            self.name: str = self.session.value("SELECT pg_export_snapshot()")
            self.horizon: str = self.session.value("SELECT txid_current_snapshot()::text")
            #: The sessions that hold the snapshot, for those who wait for their locks.
            self.pids: list[int] = [self.session.pid]
            self.xmin, self.xmax = (int(part) for part in self.horizon.split(":")[:2])
            self.database = read_identity(self.session, tables or {})
            self.shapes = read_shapes(self.session, tables or {})
            self.session.execute(f"SAVEPOINT {_READABLE}")
            begins.pop_all()

    def reader(self) -> ArrowSession:
        """A new Arrow session that sees exactly this snapshot. Raises SnapshotLost when the exporter is gone."""
        self.check()
        with contextlib.ExitStack() as begins:
            session = connect_arrow(self.legacy, autocommit=False)
            begins.callback(session.close)
            self._import(session.execute)
            self.pids.append(session.table("SELECT pg_backend_pid() AS pid").column("pid")[0].as_py())
            begins.pop_all()
        return session

    def another_session(self) -> Session:
        """A new session that sees exactly this snapshot. Raises SnapshotLost when the exporter is gone."""
        self.check()
        with contextlib.ExitStack() as begins:
            session = self.legacy.connect()
            begins.callback(session.close)
            session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            self._import(session.execute)
            self.pids.append(session.pid)
            begins.pop_all()
        return session

    def recover(self, reader: ArrowSession) -> None:
        """After a statement that failed: let the snapshot and this reader of it answer the next ones.

        An aborted transaction would blame every table after the one that failed, and let go of the snapshot. Nothing is lost,
        because nothing was written; a session that is gone stays so.
        """
        with contextlib.suppress(*DATABASE_ERRORS, ConfigurationError):
            self.session.execute(f"ROLLBACK TO SAVEPOINT {_READABLE}")
            # The driver lets no statement through in a transaction that has failed, that one neither.
            reader.rollback()
            self._import(reader.execute)

    def _import(self, execute: Callable[[str], object]) -> None:
        """Take the snapshot in another session. Raises ConfigurationError where it is on another server."""
        try:
            execute(f"SET TRANSACTION SNAPSHOT '{self.name}'")
        except DATABASE_ERRORS as error:
            if sqlstate_of(error) not in _NO_SUCH_SNAPSHOT:
                raise
            raise ConfigurationError(
                f"a session of {redact_url(self.legacy.url)} does not find the snapshot {self.name} that another one of it holds:"
                " hosts of a load balancer, or a pooler, part them. Name one host, without load_balance_hosts, and connect"
                " without a pooler or by one in session mode."
            ) from error

    def check(self) -> None:
        """Make sure that the exporter's transaction is still open. Raises SnapshotLost."""
        try:
            self.session.execute("SELECT 1")
        except psycopg.OperationalError as error:
            raise SnapshotLost(
                f"the snapshot {self.name} of the legacy database is gone: its session was ended (a restart, or a limit such as"
                " idle_in_transaction_session_timeout). Batches committed so far stay; start the run again."
            ) from error

    def close(self) -> None:
        """End the transaction; the snapshot is gone with it."""
        self.session.close()

    def __enter__(self) -> "Snapshot":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
