"""Every error of a server is told by a sentence and what to do, without a value; never by the name of its class alone."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest
from adbc_driver_manager import Error as AdbcError

from remoteiq_etl.errors import ConnectionFailed, RightMissing
from remoteiq_etl.postgres.arrow import connect_arrow
from remoteiq_etl.postgres.database import Database as EngineDatabase
from remoteiq_etl.postgres.errors import faults
from remoteiq_etl.postgres.errors.failures import DATABASE_ERRORS, brief, describe, fault_of, follows
from remoteiq_etl.postgres.errors.faults import FAULTS, SHOWN, UNKNOWN, Fault
from remoteiq_etl.postgres.errors.row_errors import is_about_rows
from tests.support.server import Database, Server

PLANTED = "planted-value"
#: What makes a kind of an error that its SQLSTATE alone does not tell.
WORDS = {
    "no pg_hba.conf entry",
    "role is not permitted to log in",
    "database is not currently accepting connections",
    "permission denied for database",
    "unsupported startup parameter",
    "query_wait_timeout",
    "canceling statement due to conflict with recovery",
    "canceling statement due to statement timeout",
    "canceling statement due to user request",
    "missing chunk number 0 for toast value 7",
    "compressed data of toast is corrupt",
}
CLASS_NAMES = re.compile(r"\b(Operational|Programming|Internal|Data|Integrity|NotSupported|Interface|Database)Error\b")
Execute = Callable[[str], object]


@pytest.fixture(scope="module")
def sessions(server: Server) -> Iterator[dict[str, Execute]]:
    """What executes a statement through each driver."""
    database = server.create_database()
    engine = EngineDatabase(database.url, "public").with_settings({"lock_timeout": "1s"})
    with closing(engine.connect()) as session, closing(connect_arrow(engine)) as arrow:
        yield {"psycopg": session.execute, "adbc": arrow.execute}
    database.drop()


def raised(execute: Execute, statement: str) -> Exception:
    with pytest.raises(DATABASE_ERRORS) as caught:
        execute(statement)
    return caught.value


def code_of(fault: Fault) -> str:
    """A SQLSTATE of this kind; of a class one that nobody has."""
    return fault.code if len(fault.code) == 5 else f"{fault.code}ZZ9"


@pytest.mark.parametrize("driver", ["psycopg", "adbc"])
@pytest.mark.parametrize(
    "fault", [one for one in FAULTS if one.code], ids=lambda fault: f"{fault.code}-{fault.words[:12]}"
)
def test_each_error_is_told_by_its_sentence_and_what_to_do(
    sessions: dict[str, Execute], fault: Fault, driver: str
) -> None:
    """Raised in the database, with a value in text, detail and hint: none is shown, whichever SQLSTATE it has."""
    code = code_of(fault)
    words = next((words for words in WORDS if fault.by_words and fault.says(words)), "")
    text = f"{words} {PLANTED}"
    error = raised(
        sessions[driver],
        f"DO $$ BEGIN RAISE '{text}' USING ERRCODE = '{code}', DETAIL = '{PLANTED}', HINT = '{PLANTED}'; END $$",
    )
    said = describe(error)
    assert PLANTED not in said
    assert f"SQLSTATE {code}" in said or "lock_timeout" in said
    assert CLASS_NAMES.search(said) is None
    if code != "55P03":  # who held the lock is a sentence of its own
        assert said.startswith(f"{fault.sentence} (SQLSTATE {code}: raised in inline_code_block) in postgresql://")
        assert said.endswith(fault.advice)


@pytest.mark.parametrize("driver", ["psycopg", "adbc"])
@pytest.mark.parametrize("code", ["01ZZ9", "2F003", "ZZ999"])
def test_what_the_catalogue_does_not_have_says_its_sqlstate(
    sessions: dict[str, Execute], code: str, driver: str
) -> None:
    error = raised(sessions[driver], f"DO $$ BEGIN RAISE EXCEPTION '{PLANTED}' USING ERRCODE = '{code}'; END $$")
    assert describe(error).startswith(f"{UNKNOWN.sentence} (SQLSTATE {code}")
    assert PLANTED not in describe(error)


@pytest.mark.parametrize("driver", ["psycopg", "adbc"])
def test_what_the_server_itself_says_is_shown_where_it_names_objects_alone(
    sessions: dict[str, Execute], driver: str
) -> None:
    execute = sessions[driver]
    assert '(SQLSTATE 42P01: relation "nowhere" does not exist)' in describe(raised(execute, "SELECT FROM nowhere"))
    assert "SQLSTATE 42883: function nothing() does not exist" in describe(raised(execute, "SELECT nothing()"))
    value = describe(raised(execute, f"SELECT '{PLANTED}'::integer"))
    assert value.startswith("the server refuses a value (SQLSTATE 22P02) in postgresql://")
    execute("CREATE TABLE IF NOT EXISTS things (name text CONSTRAINT is_short CHECK (length(name) < 3))")
    refused = brief(raised(execute, f"INSERT INTO things VALUES ('{PLANTED}')"))
    assert refused.startswith("a constraint refuses a row (SQLSTATE 23514")
    assert ("constraint is_short of things" in refused) == (driver == "psycopg")  # the other driver does not pass it on


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('FATAL:  password authentication failed for user "etl"', "28P01"),
        ("fe_sendauth: no password supplied", "28P01"),
        ('FATAL:  no pg_hba.conf entry for host "192.0.2.1", user "etl", SSL off', "28000"),
        ('FATAL:  role "etl" does not exist', "28000"),
        ('FATAL:  Peer authentication failed for user "etl"', "28"),
        ('FATAL:  database "legacy" does not exist', "3D000"),
        ("FATAL:  sorry, too many clients already", "53300"),
        ('FATAL:  too many connections for role "etl"', "53300"),
        ("FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute", "53300"),
        ("FATAL:  no more connections allowed (max_client_conn)", "53300"),
        ("FATAL:  client_login_timeout (server down)", "08P01"),
        ("FATAL:  unsupported startup parameter: options", "08P01"),
        ("FATAL:  the database system is starting up", "57P03"),
        ("FATAL:  the database system is in recovery mode", "57P03"),
        ("FATAL:  terminating connection due to administrator command\nserver closed the connection unexpectedly", "57P01"),
        ("terminating connection due to conflict with recovery\nserver closed the connection unexpectedly", "40001"),
        ("FATAL:  terminating connection due to idle-session timeout", "57P05"),
        ("server closed the connection unexpectedly\n\tThis probably means", "08006"),
        ("SSL connection has been closed unexpectedly: EOF detected", "08006"),
        ("no connection to the server", "08003"),
        ("the connection is closed", "08003"),
        ("the encrypted", None),
    ],
)  # fmt: skip
def test_without_a_sqlstate_an_error_is_known_by_its_words(text: str, code: str | None) -> None:
    found = faults.find(None, text)
    assert found.code == (code or "")
    assert (found is faults.UNTOLD) == (code is None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("session is read-only", "target_session_attrs"),
        ("server is not in hot standby mode", "target_session_attrs"),
        ("server does not support SSL, but SSL was required", "encrypted"),
        ("SSL error: certificate verify failed", "encrypted"),
        ('server certificate for "a.example.com" does not match host name "b.example.com"', "encrypted"),
        ('could not translate host name "nowhere.invalid" to address: Name or service not known', "no address"),
        ("connection to server at 192.0.2.1, port 5432 failed: Connection refused", "nobody listens"),
        ("connection failed: No such file or directory", "nobody listens"),
        ("timeout expired", "cannot be reached"),
        ("No route to host", "cannot be reached"),
    ],
)
def test_what_libpq_alone_knows_has_a_sentence(text: str, words: str) -> None:
    assert words in faults.find(None, text).sentence


@pytest.fixture
def tcp() -> Iterator[int]:
    """A port at which somebody listens who knows no encryption."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def decline() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    client.recv(8)
                    client.sendall(b"N")

        threading.Thread(target=decline, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def connects(database: EngineDatabase) -> list[Callable[[], object]]:
    return [database.connect, partial(connect_arrow, database)]


def test_a_connection_that_fails_says_why_and_what_to_do(empty_db: Database, tcp: int) -> None:
    """Through both drivers, with nothing hidden but what is secret."""
    directory = empty_db.server.directory
    cases = {
        f"postgresql://nobody@/{empty_db.name}?host={directory}": "the server knows no such role",
        f"postgresql://tester@/no_such_db?host={directory}": "the database does not exist",
        f"postgresql://tester@/{empty_db.name}?host={directory}&target_session_attrs=standby": "target_session_attrs",
        f"postgresql://etl:s3cret@127.0.0.1:{tcp}/legacy?sslmode=require": "the encrypted connection cannot be made",
        "postgresql://127.0.0.1:1/legacy": "nobody listens at this host and port",
        "postgresql://etl:s3cret@nowhere.invalid/legacy": "the host has no address",
    }
    for url, expected in cases.items():
        for connect in connects(EngineDatabase(url, "public")):
            with pytest.raises(ConnectionFailed) as refused:
                connect()
            assert expected in str(refused.value), url
            assert "s3cret" not in str(refused.value)
    assert "127.0.0.1" in str(EngineRefused("postgresql://127.0.0.1:1/legacy"))


class EngineRefused:
    """What is said of a connection that is refused."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __str__(self) -> str:
        with pytest.raises(ConnectionFailed) as refused:
            EngineDatabase(self.url, "public").connect()
        return str(refused.value).partition("(")[2]


@contextmanager
def role(database: Database, options: str = "") -> Iterator[str]:
    name = f"etl_{next(database.server.numbers)}"
    database.execute(f"CREATE ROLE {name} LOGIN {options}")
    yield name
    database.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_no_connection_left(empty_db: Database) -> None:
    with role(empty_db, "CONNECTION LIMIT 1") as name:
        database = EngineDatabase(empty_db.url_as(name), "public")
        with closing(database.connect()):
            for connect in connects(database):
                with pytest.raises(ConnectionFailed, match=r"has no connection left .*CONNECTION LIMIT"):
                    connect()


def test_a_missing_right_is_told_with_the_statement_that_gives_it(empty_db: Database) -> None:
    """Of readers and writers, of tables, schemas, sequences and functions; and what only the owner may do."""
    empty_db.execute(
        'CREATE SCHEMA shut; CREATE TABLE shut.inner_table (n int); CREATE TABLE "Odd one" (n int);'
        " CREATE TABLE user_list (n int); CREATE SEQUENCE counter; CREATE FUNCTION secret_of(int) RETURNS int LANGUAGE sql AS"
        " 'SELECT 1'; REVOKE EXECUTE ON FUNCTION secret_of(int) FROM PUBLIC; REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    )
    with role(empty_db) as name:
        empty_db.execute(f"GRANT USAGE ON SCHEMA public TO {name}")
        writer, reader = (EngineDatabase(empty_db.url_as(name), "public", read_only=only) for only in (False, True))
        cases = [
            (reader, "SELECT FROM user_list", "GRANT SELECT ON TABLE public.user_list TO"),
            (reader, 'SELECT FROM "Odd one"', 'GRANT SELECT ON TABLE public."Odd one" TO'),
            (reader, "SELECT FROM shut.inner_table", "GRANT USAGE ON SCHEMA shut TO"),
            (reader, "SELECT secret_of(1)", "GRANT EXECUTE ON FUNCTION public.secret_of(integer) TO"),
            (writer, "INSERT INTO user_list VALUES (1)", "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE public.user_list TO"),
            (writer, "SELECT nextval('counter')", "GRANT USAGE ON SEQUENCE public.counter TO"),
            (writer, "CREATE TABLE more (n int)", "GRANT CREATE ON SCHEMA public TO"),
            (writer, "CREATE SCHEMA more", f"GRANT CREATE ON DATABASE {empty_db.name} TO"),
            (writer, "ALTER TABLE user_list ADD COLUMN m int", "GRANT tester TO"),
        ]  # fmt: skip
        for database, statement, expected in cases:
            with closing(database.connect()) as session, closing(connect_arrow(database)) as arrow:
                for execute in (session.execute, arrow.execute):
                    with pytest.raises(RightMissing) as refused:
                        execute(statement)
                    assert f"{expected} {name}" in str(refused.value)
                    assert name in str(refused.value)
                    assert "SQLSTATE 42501: " in str(refused.value)
                    assert isinstance(refused.value, psycopg.errors.InsufficientPrivilege)


def test_a_timeout_a_cancel_and_a_write_to_a_read_only_session(empty_db: Database) -> None:
    database = EngineDatabase(empty_db.url, "public").with_settings({"statement_timeout": "50ms"})
    with closing(database.connect()) as session, closing(connect_arrow(database)) as arrow:
        for execute in (session.execute, arrow.table):
            assert brief(raised(execute, "SELECT pg_sleep(9)::text")) == (
                "a timeout ended the statement (SQLSTATE 57014: canceling statement due to statement timeout)"
            )
    with closing(EngineDatabase(empty_db.url, "public").connect()) as session:
        pid = session.value("SELECT pg_backend_pid()")
        cancel = threading.Timer(0.2, empty_db.execute, [f"SELECT pg_cancel_backend({pid})"])
        cancel.start()
        assert describe(raised(session.execute, "SELECT pg_sleep(9)")).startswith("somebody cancelled the statement")
        cancel.join()
    reader = EngineDatabase(empty_db.url, "public", read_only=True)
    with closing(reader.connect()) as session, closing(connect_arrow(reader)) as arrow:
        for execute in (session.execute, arrow.execute):
            said = describe(raised(execute, "CREATE TABLE things (n int)"))
            assert said.startswith(
                "the server takes no writes from the session (SQLSTATE 25006: cannot execute CREATE TABLE"
            )
            assert "name the primary in REMOTEIQ_TARGET_URL" in said


def test_a_session_that_was_ended_says_so_first_and_then_that_it_follows(empty_db: Database) -> None:
    database = EngineDatabase(empty_db.url, "public")
    with closing(database.connect()) as session, closing(connect_arrow(database)) as arrow:
        for execute in (session.execute, arrow.table):
            pid = arrow.table("SELECT pg_backend_pid() AS pid") if execute == arrow.table else None
            number = pid.column("pid")[0].as_py() if pid is not None else session.value("SELECT pg_backend_pid()")
            empty_db.execute(f"SELECT pg_terminate_backend({number}, 1000)")
            first, second = (raised(execute, "SELECT 1::text AS one") for _ in range(2))
            # Of the Arrow driver's session only the closed socket is seen, because the driver would end the process.
            assert fault_of(first).code == ("57P01" if execute == session.execute else "08006")
            assert "pg_terminate_backend" in describe(first)
            assert follows(second, first)
            assert fault_of(second).ends_session


def test_an_aborted_transaction_only_follows(empty_db: Database) -> None:
    with closing(EngineDatabase(empty_db.url, "public").connect()) as session:
        session.execute("BEGIN")
        first, second = (raised(session.execute, "SELECT 1 / 0") for _ in range(2))
        assert follows(second, first)
        assert not follows(first, second)
        assert follows(first, first)


def test_an_event_trigger_is_named_with_its_function(empty_db: Database) -> None:
    empty_db.execute(
        "CREATE FUNCTION no_ddl() RETURNS event_trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE 'no tables today {PLANTED}'; END $$;"
        " CREATE EVENT TRIGGER guard ON ddl_command_start EXECUTE FUNCTION no_ddl()"
    )
    database = EngineDatabase(empty_db.url, "public")
    with closing(database.connect()) as session, closing(connect_arrow(database)) as arrow:
        for execute in (session.execute, arrow.execute):
            said = describe(raised(execute, "CREATE TABLE things (n int)"))
            assert "event trigger" in said
            assert "(SQLSTATE P0001: raised in no_ddl)" in said
            assert PLANTED not in said


def test_a_damaged_toast_table_is_told_as_damage(server: Server) -> None:
    """A copy of a database whose file was overwritten with empty pages."""
    first = server.create_database()
    for statement in (
        "CREATE TABLE mails (raw text)",
        "ALTER TABLE mails ALTER raw SET STORAGE EXTERNAL",
        "INSERT INTO mails SELECT repeat('x', 100000)",
        "CHECKPOINT",
    ):
        first.execute(statement)
    with first.connect() as connection:
        found = connection.execute(
            "SELECT pg_relation_filepath(reltoastrelid) FROM pg_class WHERE relname = 'mails'"
        ).fetchone()
    assert found is not None
    file = Path(server.directory) / "data" / found[0]
    file.write_bytes(bytes(file.stat().st_size))
    damaged = server.create_database(template=first.name)
    database = EngineDatabase(damaged.url, "public")
    with closing(database.connect()) as session, closing(connect_arrow(database)) as arrow:
        for execute in (session.execute, arrow.table):
            error = raised(execute, "SELECT raw FROM mails")
            assert describe(error).startswith(
                "stored data of the server are damaged, out of line (TOAST) (SQLSTATE XX0"
            )
            assert "pg_toast_" in describe(error)
            assert not is_about_rows(error)
    damaged.drop()
    first.drop()


def test_only_classes_without_values_show_their_texts() -> None:
    assert {"08", "25", "28", "3D", "42", "53", "54", "55", "57", "58"} == SHOWN


def test_no_class_of_a_driver_is_named_alone() -> None:
    """Errors that never reached a server have a sentence, too."""
    for error in (
        psycopg.OperationalError(""),
        psycopg.ProgrammingError(PLANTED),
        psycopg.DataError(PLANTED),
        psycopg.InterfaceError(PLANTED),
        psycopg.Error(),
        AdbcError(PLANTED, status_code=1),
    ):
        assert CLASS_NAMES.search(describe(error)) is None
        assert PLANTED not in describe(error)
        assert len(describe(error)) > 30


def test_the_guide_has_the_catalogue() -> None:
    page = (Path(__file__).parents[3] / "docs" / "guide" / "errors.md").read_text(encoding="utf-8")
    for fault in FAULTS:
        code = f"`{fault.code}`" if len(fault.code) == 5 else f"class `{fault.code}`" if fault.code else "none"
        assert f"| {code} | {fault.sentence} | {fault.advice} |" in page
    assert page.count("\n| `") + page.count("\n| class `") + page.count("\n| none |") == len(FAULTS)
