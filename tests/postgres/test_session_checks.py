"""Sessions that do not stay what they are, behind a pooler or a load balancer, are refused before anything is written."""

import contextlib
import itertools
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from remoteiq_etl.backfill.run import open_run
from remoteiq_etl.backfill.source.snapshot import Snapshot
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.lifecycle.drift.checkup import CheckStatus, examine_target
from remoteiq_etl.lifecycle.operations import reset
from remoteiq_etl.lifecycle.target.steps import staged
from remoteiq_etl.lifecycle.undo.access import UndoTarget
from remoteiq_etl.lifecycle.undo.plan import plan as plan_undo
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from remoteiq_etl.postgres.database import Database as EngineDatabase
from remoteiq_etl.postgres.session_checks import refuse_shared, why_shared
from remoteiq_etl.verify.engine import verify
from tests.support.migrating import Migration, specs
from tests.support.poolers import copy, pooler
from tests.support.server import Database, Server, running
from tests.support.transaction_pooler import TransactionPooler, transaction_pooler


@pytest.fixture
def shared(server: Server) -> Iterator[TransactionPooler]:
    with tempfile.TemporaryDirectory(prefix="pool-") as made, transaction_pooler(Path(made), server.directory) as relay:
        yield relay


def test_a_pooler_in_transaction_mode_is_found_out(empty_db: Database, shared: TransactionPooler) -> None:
    with closing(EngineDatabase(shared.url(empty_db.url), "public").connect()) as session:
        with pytest.raises(ConfigurationError, match=r"pool_mode = session.* Nothing was written"):
            refuse_shared(session)
        assert session.value("SELECT 1") == 1  # the session itself is none the worse


def test_sessions_without_a_pooler_or_by_one_in_session_mode_are_taken(empty_db: Database, server: Server) -> None:
    with closing(EngineDatabase(empty_db.url, "public").connect()) as session:
        assert why_shared(session) is None
    with (
        tempfile.TemporaryDirectory(prefix="pool-") as made,
        pooler(Path(made), server.directory, refuses=True) as relay,
        closing(EngineDatabase(relay.url(empty_db.url), "public").connect()) as session,
    ):
        assert why_shared(session) is None


def test_every_command_that_holds_a_session_refuses_it_before_anything_is_written(
    server: Server, our_target: Database, legacy_db: Database, shared: TransactionPooler
) -> None:
    migration = Migration.of(legacy_db, our_target)
    target = replace(migration.plan.target, url=shared.url(our_target.url))
    plan = replace(migration.plan, target=target)
    for attempt in (
        lambda: contextlib.ExitStack().enter_context(open_run(plan)),
        lambda: verify(plan),
        lambda: plan_undo(UndoTarget(target, specs()), UndoScope(everything=True)),
        lambda: contextlib.ExitStack().enter_context(staged(target, Settings())),
        lambda: contextlib.ExitStack().enter_context(reset.opened(target, "remoteiq_etl", "default", specs())),
    ):
        with pytest.raises(ConfigurationError, match="pool_mode = session"):
            attempt()
    assert migration.query("SELECT to_regnamespace('remoteiq_etl')") == [(None,)]
    found = {one.subject: one for one in examine_target(target, "remoteiq_etl").findings}
    assert found["sessions"].verdict is CheckStatus.BLOCKS
    assert "pool_mode = session" in found["sessions"].advice


@contextlib.contextmanager
def balanced(directory: Path, servers: list[Server]) -> Iterator[Path]:
    """A relay that leads its clients to these servers in turn."""
    turns = itertools.cycle(servers)

    def lead(client: socket.socket, to: Server) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(str(to.directory / ".s.PGSQL.5432"))
            back = threading.Thread(target=copy, args=(server, client), daemon=True)
            back.start()
            copy(client, server)
            back.join()

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=lead, args=(client, next(turns)), daemon=True).start()

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(directory / ".s.PGSQL.5432"))
        listener.listen()
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield directory
        listener.shutdown(socket.SHUT_RDWR)


def test_hosts_of_a_load_balancer_are_found_out(server: Server) -> None:
    with (
        running() as other,
        tempfile.TemporaryDirectory(prefix="balanced-") as made,
        balanced(Path(made), [server, other]) as directory,
    ):
        url = f"postgresql://tester@/postgres?host={str(directory).replace('/', '%2F')}"
        with closing(EngineDatabase(url, "public").connect()) as session:
            assert "reach different servers" in str(why_shared(session))


def test_a_snapshot_that_a_reader_does_not_find_is_told(empty_db: Database, target_db: Database) -> None:
    """As between two servers: its session is in another database."""
    with Snapshot(EngineDatabase(empty_db.url, "public", read_only=True)) as snapshot:
        snapshot.legacy = replace(snapshot.legacy, url=target_db.url)
        for open_reader in (snapshot.reader, snapshot.another_session):
            with pytest.raises(ConfigurationError, match="load_balance_hosts"):
                open_reader()
