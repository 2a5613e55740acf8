"""One snapshot per run: a read-only transaction on the legacy database whose snapshot every reader imports."""

import contextlib
from collections.abc import Collection, Mapping
from types import TracebackType

import psycopg

from remoteiq_etl.backfill.source.database_identity import read_identity
from remoteiq_etl.backfill.source.relation_shape import read_shapes
from remoteiq_etl.errors import SnapshotLost
from remoteiq_etl.postgres.database import ArrowSession, Database, Session


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
            self.pids: list[int] = [self.session.connection.info.backend_pid]
            self.xmin, self.xmax = (int(part) for part in self.horizon.split(":")[:2])
            self.database = read_identity(self.session, tables or {})
            self.shapes = read_shapes(self.session, tables or {})
            begins.pop_all()

    def reader(self) -> ArrowSession:
        """A new Arrow session that sees exactly this snapshot. Raises SnapshotLost when the exporter is gone."""
        self.check()
        with contextlib.ExitStack() as begins:
            session = self.legacy.connect_arrow(autocommit=False)
            begins.callback(session.close)
            session.execute(f"SET TRANSACTION SNAPSHOT '{self.name}'")
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
            session.execute(f"SET TRANSACTION SNAPSHOT '{self.name}'")
            self.pids.append(session.connection.info.backend_pid)
            begins.pop_all()
        return session

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
