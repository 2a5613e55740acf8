"""What a role, a database, the environment or a URL would have set changes no session of ours, behind a pooler either."""

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from remoteiq_etl.errors import ConnectionFailed, LockTimeout
from remoteiq_etl.postgres import row_hash
from remoteiq_etl.postgres.arrow import ArrowSession, connect_arrow, connect_beside
from remoteiq_etl.postgres.database import Database as EngineDatabase
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.session_settings import PINNED, READER, WRITER
from tests.support.hostile import HOSTILE, make_hostile
from tests.support.poolers import Pooler, pooler
from tests.support.server import SUPERUSER, Database, Server

NAMES = [*(one.name for one in PINNED), *WRITER, "search_path"]
Settings = dict[str, str | None]


def shown(session: Session | ArrowSession) -> Settings:
    """Every pinned setting as the session has it; None where its server does not know it."""
    items = sql.SQL(", ").join(
        sql.SQL("pg_catalog.current_setting({}, true) AS {}").format(sql.Literal(name), sql.Identifier(f"s{at}"))
        for at, name in enumerate(NAMES)
    )
    query = sql.SQL("SELECT {}").format(items).as_string(None)
    if isinstance(session, Session):
        return dict(zip(NAMES, session.rows(query)[0], strict=True))
    return dict(zip(NAMES, session.table(query).to_pylist()[0].values(), strict=True))


def every_session(database: EngineDatabase) -> Iterator[Settings]:
    """The settings of each kind of session."""
    with closing(database.connect()) as session:
        yield shown(session)
    for autocommit in (True, False):
        with closing(connect_arrow(database, autocommit=autocommit)) as first:
            yield shown(first)
            with closing(connect_beside(database, first)) as second:
                yield shown(second)


def test_every_pinned_setting_has_a_hostile_value_here() -> None:
    assert set(HOSTILE) == set(NAMES)


@pytest.mark.every_postgres
@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("where", ["database", "role", "url", "environment"])
def test_no_setting_from_elsewhere_reaches_a_session(
    empty_db: Database, where: str, read_only: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set by ALTER DATABASE, by ALTER ROLE, in the URL, in PGOPTIONS: each has the value that it has without."""
    opened = EngineDatabase(empty_db.url, "public", read_only=read_only)
    expected = list(every_session(opened))
    assert len({str(one) for one in expected}) == 1
    said = (
        {one.name: one.value for one in PINNED} | (READER if read_only else WRITER) | {"search_path": "public, public"}
    )
    assert {name: value for name, value in expected[0].items() if value is not None} == {
        name: value for name, value in said.items() if expected[0][name] is not None
    }
    if where in ("database", "role"):
        make_hostile(empty_db, role=SUPERUSER if where == "role" else None)
    elif where == "url":
        options = "-c DateStyle=German -c statement_timeout=9s -c default_transaction_read_only=on"
        url = make_conninfo(empty_db.url, options=options, client_encoding="LATIN1")
        opened = EngineDatabase(url, "public", read_only=read_only)
    else:
        monkeypatch.setenv("PGOPTIONS", "-c DateStyle=German -c search_path=nowhere")
        monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
        monkeypatch.setenv("PGTZ", "Asia/Kathmandu")
    assert list(every_session(opened)) == expected


def test_a_reader_is_found_where_the_url_asks_for_a_server_that_can_be_written(empty_db: Database) -> None:
    """libpq looks at default_transaction_read_only; it is on all the same when the session stands."""
    url = make_conninfo(empty_db.url, target_session_attrs="read-write")
    for settings in every_session(EngineDatabase(url, "public", read_only=True)):
        assert settings["default_transaction_read_only"] == "on"


@pytest.fixture
def through(server: Server) -> Iterator[Callable[[bool], Pooler]]:
    with tempfile.TemporaryDirectory(prefix="pool-") as made:
        running = []

        def start(refuses: bool) -> Pooler:
            running.append(pooler(Path(made), server.directory, refuses=refuses))
            return running[-1].__enter__()

        yield start
        for one in running:
            one.__exit__(None, None, None)


@pytest.mark.parametrize("refuses", [True, False])
def test_a_pooler_that_takes_no_settings_at_the_start_changes_nothing(
    empty_db: Database, through: Callable[[bool], Pooler], refuses: bool
) -> None:
    """Whether it refuses the packet or swallows what is in it: settings and keys are made by statements then."""
    make_hostile(empty_db, but=["quote_all_identifiers"])
    direct = EngineDatabase(empty_db.url, "public").with_settings(row_hash.session_settings(b"secret"))
    pooled = EngineDatabase(through(refuses).url(empty_db.url), "public").with_settings(
        row_hash.session_settings(b"secret")
    )
    assert pooled.url != direct.url
    assert list(every_session(pooled)) == list(every_session(direct))
    query = sql.SQL("SELECT encode({}, 'hex') AS hash").format(row_hash.row_hash([sql.Literal("a")])).as_string(None)
    with (
        closing(direct.connect()) as session,
        closing(pooled.connect()) as other,
        closing(connect_arrow(pooled)) as third,
    ):
        hashed = session.value(query)
        assert other.value(query) == hashed == third.table(query).column("hash")[0].as_py()


@pytest.mark.parametrize("refuses", [True, False])
def test_a_pooler_before_a_role_that_has_all_names_quoted_is_refused_with_what_to_do(
    empty_db: Database, through: Callable[[bool], Pooler], refuses: bool
) -> None:
    """The Arrow driver would take every text for bytes."""
    make_hostile(empty_db)
    database = EngineDatabase(through(refuses).url(empty_db.url), "public")
    with pytest.raises(ConnectionFailed, match="SET quote_all_identifiers = off"):
        connect_arrow(database)


def test_a_server_that_cannot_be_reached_is_told_without_its_password() -> None:
    database = EngineDatabase("postgresql://someone:hush@127.0.0.1:1/nothing", "public")
    for connect in (database.connect, partial(connect_arrow, database)):
        with pytest.raises(ConnectionFailed) as failed:
            connect()
        assert "hush" not in str(failed.value)


@pytest.mark.parametrize("reads", [True, False])
def test_a_lock_that_is_not_to_be_had_is_told_with_the_session_that_holds_it(legacy_db: Database, reads: bool) -> None:
    """psycopg and Arrow, reading and writing."""
    database = EngineDatabase(legacy_db.url, "public", read_only=reads).with_settings({"lock_timeout": "50ms"})
    statement = "SELECT count(*)::int AS n FROM tickets" if reads else "UPDATE tickets SET title = 'x'"
    with legacy_db.connect(autocommit=False) as holder:
        holder.execute("SET application_name = 'a nightly job'")
        holder.execute("LOCK TABLE tickets IN ACCESS EXCLUSIVE MODE")
        with closing(database.connect()) as session, closing(connect_arrow(database)) as arrow:
            for execute in (session.execute, arrow.table):
                with pytest.raises(LockTimeout) as waited:
                    execute(statement)
                said = str(waited.value)
                assert f"session {holder.info.backend_pid} (role {SUPERUSER}, application a nightly job" in said
                assert "holds AccessExclusiveLock on tickets" in said
                assert "50ms" in said


def test_a_statement_behind_one_that_waits_itself_is_told_of_both(legacy_db: Database) -> None:
    """An ALTER TABLE that queues behind a long SELECT keeps everybody else out."""
    database = EngineDatabase(legacy_db.url, "public", read_only=True).with_settings({"lock_timeout": "100ms"})
    with (
        legacy_db.connect(autocommit=False) as reading,
        legacy_db.connect() as altering,
        closing(database.connect()) as session,
    ):
        reading.execute("SELECT FROM tickets")
        alter = threading.Thread(target=altering.execute, args=("ALTER TABLE tickets ADD COLUMN more int",))
        alter.start()
        waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock')"
        while not session.value(waiting):
            pass
        with pytest.raises(LockTimeout, match=rf"itself waits for .* behind {reading.info.backend_pid}\b"):
            session.execute("SELECT FROM tickets")
        reading.rollback()
        alter.join(timeout=20)


def test_the_guide_has_every_setting_with_its_value_and_reason() -> None:
    page = Path(__file__).parents[2] / "docs" / "guide" / "sessions.md"
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    for one in PINNED:
        since = f" (from PostgreSQL {one.since} on)" if one.since else ""
        value = f"`{one.value}`" if one.value else "empty"
        assert f"| `{one.name}`{since} | {value} | {one.why} |" in rows
    for name in (*WRITER, "search_path"):
        assert any(row.startswith(f"| `{name}` |") for row in rows)
