"""A secret planted in every secret column comes to rest in the target's own tables and nowhere else.

Four runs through Dagster see the planted rows: one that quarantines, holds, archives and adopts, one that finds conflicts,
and two that fail with errors whose text, as the server gives it, quotes the row. All is looked at twice: without a sealing
key, and with one.
"""

import base64
import contextlib
import hashlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql as pg

import assets
from remoteiq_etl.backfill.context.report import Ledger
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.orchestration.assets.discovery import find_tables
from remoteiq_etl.orchestration.jobs.execute import JobOutcome, execute_job
from remoteiq_etl.orchestration.runtime.instance import instance
from remoteiq_etl.report.make import ReportScope
from remoteiq_etl.report.make import write as write_report
from remoteiq_etl.sensitive.keys import new_key
from remoteiq_etl.sensitive.redaction import is_secret
from schemas import legacy
from tests.orchestration.conftest import configure
from tests.support.migrating import Migration, foreign_target, target_tables
from tests.support.server import Database, Server

#: Letters that base32, e-mail headers, JSON and a change of case all leave recognisable.
MARKER = "ZQPLANTEDSECRET"
#: An object with keys of each word that makes a value secret, at several depths; {0} is the value.
SECRET_KEYS = (
    "jsonb_build_object('apiToken', {0}, 'deep', jsonb_build_array(jsonb_build_object('DB_Password', {0}, 'secretNote', {0},"
    " 'sshKey', jsonb_build_object('a', {0}), 'Credentials', jsonb_build_array({0}))))"
)
#: Target columns in which a row that was written is edited, each with a secret of its own or beside one.
EDITS = {
    "users": "password_hash = '{0}', first_name = 'Edited'",
    "user_security": "totp_secret = '{0}'",
    "sessions": "refresh_token = '{0}' || id, user_agent = 'Edited'",
    "personal_access_tokens": "token_hash = '{0}' || id",
    "trusted_devices": "device_fingerprint = '{0}' || id",
    "agents": """facts = '{{"db_password": "{0}"}}', last_check_in_at = '2000-01-01'""",
    "checks": """config = '{{"token": "{0}"}}'""",
    "agent_tasks": """payload = '{{"plain": "{0}"}}'""",
    "backups_config": """destination = '{{"plain": "{0}"}}', notifications = '{{"key": "{0}"}}'""",
    "backup_destinations": """configuration = '{{"plain": "{0}"}}'""",
    "backup_policies": """options = '{{"credential": "{0}"}}'""",
    "email_channels": """smtp_settings = '{{"plain": "{0}"}}', imap_settings = '{{"plain": "{0}"}}'""",
    "dkim_keys": "private_key = '{0}'",
    "organization_settings": """branding = '{{"smtpPassword": "{0}"}}'""",
}


def planted_columns() -> list[tuple[Table, Column[Any]]]:
    """Every legacy column that is secret as a whole, or may hold secret keys."""
    return [
        (table, column)
        for table in legacy.metadata.sorted_tables
        for column in table.columns
        if is_secret(column) or isinstance(column.type, pg.JSON)
    ]


def plant(table: Table, column: Column[Any]) -> str:
    """The statement that plants the marker in each row that has a value, at each call another one in each row."""
    where = f'UPDATE "{table.name}" SET "{column.name}" = '
    return f'{where}{planted_value(table, column)} WHERE "{column.name}" IS NOT NULL'


def planted_value(table: Table, column: Column[Any]) -> str:
    name, word = f'"{column.name}"', f"{MARKER}{table.name}{column.name}".replace("_", "").upper()
    own = f"'{word}' || translate(ctid::text, '(,)0123456789', 'XYXABCDEFGHIJ')"
    if isinstance(column.type, pg.JSON):
        more = f"jsonb_build_object('plain', {own})" if is_secret(column) else SECRET_KEYS.format(f"({own})")
        return (
            f"CASE WHEN jsonb_typeof({name}::jsonb) IN ('object', 'array') THEN {name}::jsonb || {more} ELSE {more} END"
        )
    if isinstance(column.type, pg.ARRAY):
        return f"ARRAY[{own}]"
    if column.name == "raw":
        return f"{name} || convert_to({own}, 'UTF8')"
    # What must be readable to be carried stays so.
    return f"{name} || {own}" if column.name in {"private_key", "headers_snippet"} else own


def plant_all(source: Database) -> None:
    source.execute(";".join(plant(table, column) for table, column in planted_columns()))


def planted_texts(source: Database) -> set[str]:
    """Whole values of the text columns as they are planted now: what somebody might hash."""
    texts = [
        (table, column, f'unnest("{column.name}")' if isinstance(column.type, pg.ARRAY) else f'"{column.name}"')
        for table, column in planted_columns()
        if not isinstance(column.type, pg.JSON) and column.name != "raw"
    ]
    query = " UNION ALL ".join(f'SELECT {value}::text FROM "{table.name}"' for table, _, value in texts)
    with source.connect() as connection:
        return {row[0] for row in connection.execute(query.encode()).fetchall() if row[0] and MARKER in row[0]}


@dataclass
class Planted:
    """What four runs left behind."""

    source: Database
    target: Database
    home: Path
    outcomes: list[JobOutcome] = field(default_factory=list)
    texts: set[str] = field(default_factory=set)
    carrying: set[str] = field(default_factory=set)
    logged: str = ""
    sealing_key: str = ""

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with self.target.connect() as connection:
            return connection.execute(statement.encode()).fetchall()


class Recorder(logging.Handler):
    """Keeps every record as it would be printed, with its traceback and what came with it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(f"{self.format(record)} {record.__dict__}")


@contextlib.contextmanager
def recorded() -> Iterator[Recorder]:
    """Everything logged by anybody, down to DEBUG."""
    recorder, root = Recorder(), logging.getLogger()
    level = root.level
    root.addHandler(recorder)
    root.setLevel(logging.DEBUG)
    yield recorder
    root.removeHandler(recorder)
    root.setLevel(level)


@contextlib.contextmanager
def printed_to(path: Path) -> Iterator[None]:
    """All that this process prints, by Python or below it, goes to a file."""
    with path.open("a") as file, contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        kept = [os.dup(number) for number in (1, 2)]
        for number in (1, 2):
            os.dup2(file.fileno(), number)
        yield
        for number, original in zip((1, 2), kept, strict=True):
            os.dup2(original, number)
            os.close(original)


@pytest.fixture(scope="module", params=["", new_key()], ids=["withheld", "sealed"])
def planted(
    request: pytest.FixtureRequest, server: Server, edge_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Planted]:
    source, target = server.create_database(template=edge_template), foreign_target(server)
    found = Planted(source, target, tmp_path_factory.mktemp("secrets"), sealing_key=request.param)
    dagster_home = found.home / "dagster"
    dagster_home.mkdir()
    # Without the project's own configuration, so that Dagster keeps what the steps print, too.
    (dagster_home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with pytest.MonkeyPatch.context() as patch, recorded() as recorder, printed_to(found.home / "printed"):
        configure(patch, source.url_as(source.select_only_role()), target.url, found.home)
        patch.setenv("DAGSTER_HOME", str(dagster_home))
        patch.setenv("REMOTEIQ_SEALING_KEY", found.sealing_key)
        run_all(found)
    found.logged = "\n".join(recorder.texts)
    yield found
    source.drop()
    target.drop()


def run_all(found: Planted) -> None:
    source, target = found.source, found.target
    with instance(Settings.load()) as own:
        plant_all(source)
        found.texts |= planted_texts(source)
        before_us(source, target)
        found.outcomes.append(execute_job(instance=own))
        edit_both(source, target)
        found.texts |= planted_texts(source)
        found.outcomes.append(execute_job(instance=own, tables=list(EDITS)))
        found.carrying = carrying(found)
        refuse_new_users(source, target)
        found.outcomes.append(execute_job(instance=own, tables=["organizations", "users"]))
        betray_to_readers(source, target)
        found.outcomes.append(execute_job(instance=own, tables=["organizations", "users"]))


def carrying(found: Planted) -> set[str]:
    """The target's own tables that hold the marker."""
    like = f"%{MARKER}%"
    return {
        table
        for table in target_tables()
        if found.query(f"SELECT FROM {table} AS t WHERE t::text LIKE '{like}' LIMIT 1")
    }


def before_us(source: Database, target: Database) -> None:
    """Rows of the application that are adopted, with secrets of their own."""
    with source.connect() as connection:
        (agent,) = connection.execute(
            "SELECT agent_uuid FROM agents WHERE agent_uuid IS NOT NULL LIMIT 1"
        ).fetchone() or ("",)
        (check,) = connection.execute("SELECT name FROM checks WHERE name <> '' LIMIT 1").fetchone() or ("",)
    target.execute(
        f"""
        INSERT INTO organizations (id, name, slug) VALUES ('a1a1a1a1-0000-4000-8000-000000000001', 'Default Organization', 'default');
        INSERT INTO users (organization_id, email, password_hash, first_name)
            VALUES ('a1a1a1a1-0000-4000-8000-000000000001', 'Ada@Example.COM', '{MARKER}TARGET', 'Not Ada');
        INSERT INTO devices (id, hostname) VALUES ('a1a1a1a1-0000-4000-8000-000000000002', 'of the application');
        INSERT INTO agents (device_id, agent_uuid, version, facts)
            VALUES ('a1a1a1a1-0000-4000-8000-000000000002', '{agent}', '9', '{{"rootPassword": "{MARKER}TARGET"}}');
        INSERT INTO checks (organization_id, name, type, schedule, config)
            VALUES ('a1a1a1a1-0000-4000-8000-000000000001', '{check}', 'ping', '@every 1s', '{{"token": "{MARKER}TARGET"}}');
        INSERT INTO email_channels (organization_id, name, purpose, smtp_settings)
            VALUES ('a1a1a1a1-0000-4000-8000-000000000001', 'alerts', 'alerts', '{{"password": "{MARKER}TARGET"}}');
        """
    )


def edit_both(source: Database, target: Database) -> None:
    """All secrets change in legacy and in the target, so that the second run finds conflicts."""
    target.execute(
        ";".join(f"UPDATE {table} SET {change.format(MARKER + 'EDITED')}" for table, change in EDITS.items())
    )
    plant_all(source)


def refuse_new_users(source: Database, target: Database) -> None:
    """The next run fails with an error that quotes the whole row."""
    source.execute(
        "INSERT INTO users (id, name, email, role, password_hash)"
        f" VALUES ('c5000000-0000-4000-8000-0000000000aa', 'Late Comer', 'late@example.com', 'User', '{MARKER}LATE')"
    )
    target.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'refused %', NEW USING ERRCODE = '42501', DETAIL = NEW::text, HINT = NEW.password_hash; END $$;"
        "CREATE TRIGGER refuse BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION refuse()"
    )


def betray_to_readers(source: Database, target: Database) -> None:
    """The next run fails while it reads, with an error that quotes the value."""
    target.execute("DROP TRIGGER refuse ON users")
    source.execute(
        "CREATE FUNCTION betray(secret text) RETURNS boolean LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'seen %', secret USING DETAIL = secret, HINT = secret; END $$;"
        "CREATE POLICY betray ON users USING (betray(password_hash)); ALTER TABLE users ENABLE ROW LEVEL SECURITY"
    )


def needles(texts: set[str], sealing_key: str = "") -> dict[str, bytes]:
    """What must not be found, in lower case: the marker as it is, in base64 and hexadecimal, hashes of whole values, the key."""
    forms = {"marker": MARKER.encode()}
    if sealing_key:
        raw = base64.urlsafe_b64decode(sealing_key)
        forms |= {
            "key": sealing_key.encode(),
            "key in hex": raw.hex().encode(),
            "key as bytes": repr(raw)[2:-1].encode(),
        }
    for case, word in {"upper": MARKER, "lower": MARKER.lower()}.items():
        forms[f"hex {case}"] = word.encode().hex().encode()
        for shift in range(3):
            # Without what depends on the neighbours: the first characters after a shift, and the last.
            encoded = base64.b64encode(b"x" * shift + word.encode())
            forms[f"base64 {case} {shift}"] = encoded[(0, 2, 3)[shift] : -4]
    for text in texts:
        for variant in {text, text.lower(), text.upper()}:
            forms[f"sha256 {variant}"] = hashlib.sha256(variant.encode()).hexdigest().encode()
    return {name: form.lower() for name, form in forms.items()}


def betrayed(found: Planted, content: bytes) -> list[str]:
    content = content.lower()
    return [name for name, form in needles(found.texts, found.sealing_key).items() if form in content]


def test_the_runs_went_where_secrets_could_be_seen(planted: Planted) -> None:
    first, second, refused, unread = planted.outcomes
    assert (first.errors, second.errors) == ({}, {})
    assert (list(refused.errors), list(unread.errors)) == (["users"], ["users"])
    for kept in ("quarantine", "held", "conflicts", "before_images", "legacy_archive", "words", "ledger"):
        assert planted.query(f"SELECT count(*) > 0 FROM remoteiq_etl.{kept}") == [(True,)], kept
    adopted = {"users", "agents", "checks", "email_channels", "organizations"}
    assert {table for table, report in first.reports.items() if report.total(Ledger.ADOPTED)} >= adopted
    conflicts = {table for table, report in second.reports.items() if report.total(Ledger.CONFLICT)}
    assert conflicts >= {
        "users",
        "checks",
        "agent_tasks",
        "backup_destinations",
        "email_channels",
        "personal_access_tokens",
    }
    has_key = planted.sealing_key != ""
    counts = "count(*) FILTER (WHERE withheld) > 0, count(sealed) > 0 FROM remoteiq_etl.legacy_archive"
    assert planted.query(f"SELECT {counts}") == [(not has_key, has_key)]
    counts = "count(*) FILTER (WHERE withheld <> '{}') > 0, count(sealed) > 0 FROM remoteiq_etl.before_images"
    assert planted.query(f"SELECT {counts}") == [(not has_key, has_key)]


def test_every_planted_secret_was_carried(planted: Planted) -> None:
    """Else its absence elsewhere would prove nothing."""
    assert planted.carrying >= set(EDITS) | {"email_messages", "agent_task_results", "check_runs", "agent_task_runs"}


def test_the_state_schema_holds_no_secret(planted: Planted) -> None:
    tables = [name for (name,) in planted.query("SELECT tablename FROM pg_tables WHERE schemaname = 'remoteiq_etl'")]
    assert "legacy_sessions_map" in tables
    found = {}
    for table in tables:
        rows = planted.query(f'SELECT t::text FROM remoteiq_etl."{table}" t')
        found[table] = betrayed(planted, "\n".join(row[0] for row in rows).encode())
    assert {table: names for table, names in found.items() if names} == {}


def test_what_dagster_stored_holds_no_secret(planted: Planted) -> None:
    """Its event and run databases, compute logs and everything else below its home and ours."""
    files = [path for path in planted.home.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files)
    assert any("compute_logs" in str(path) for path in files)
    assert {str(path): names for path in files if (names := betrayed(planted, path.read_bytes()))} == {}


def test_what_was_printed_and_logged_holds_no_secret(planted: Planted) -> None:
    assert planted.logged
    assert betrayed(planted, (planted.home / "printed").read_bytes()) == []
    assert betrayed(planted, planted.logged.encode()) == []


def test_errors_and_reports_hold_no_secret(planted: Planted) -> None:
    assert betrayed(planted, repr(planted.outcomes).encode()) == []
    errors = planted.query("SELECT error FROM remoteiq_etl.runs WHERE status = 'failed' ORDER BY id")
    assert len(errors) == 2
    assert "refused" not in str(errors)
    assert "late@example.com" not in str(errors) + repr(planted.outcomes)


def test_the_migration_report_holds_no_secret(planted: Planted, tmp_path: Path) -> None:
    """Neither the page nor the JSON, which show quarantined rows, conflicts, the archive, and a record of an agent."""
    reader = planted.source.url_as(planted.source.select_only_role())
    settings = Settings(legacy_url=reader, target_url=planted.target.url, home=tmp_path)
    tables = find_tables(assets)
    scope = ReportScope({name: table.spec for name, table in tables.items()}, dict.fromkeys(tables, "all"))
    written = write_report(settings, scope, record=("agents", "1"))
    assert written.report.conflicts
    assert written.report.quarantine
    assert written.report.record is not None
    assert written.report.record.found
    for path in (written.page, written.data):
        assert betrayed(planted, path.read_bytes()) == []


def test_a_copy_that_fails_says_nothing_of_the_row(edge_db: Database, our_target: Database) -> None:
    """What is recorded of the server's message is its code: each row is quarantined alone, without its value."""
    edge_db.execute(f"UPDATE users SET password_hash = '{MARKER}'")
    our_target.execute("ALTER TABLE users ALTER password_hash TYPE varchar(4)")
    migration = Migration.of(edge_db, our_target)
    migration.run("organizations", "users")
    details = migration.query("SELECT DISTINCT detail FROM remoteiq_etl.quarantine WHERE detail LIKE '%22001%'")
    assert len(details) == 1
    assert migration.query("SELECT DISTINCT error FROM remoteiq_etl.runs") == [(None,)]
    kept = migration.query("SELECT q::text FROM remoteiq_etl.quarantine AS q WHERE table_name = 'users'")
    assert kept
    assert MARKER not in str(kept)
    assert migration.query("SELECT count(*) FROM pg_tables WHERE tablename ~ '^stage_[0-9]'") == [(0,)]


def test_a_search_for_the_marker_finds_it_in_every_form() -> None:
    """The search itself: base64 at each offset, hexadecimal, another case, a hash of the whole."""
    found = Planted(None, None, Path(), texts={f"{MARKER}X"})  # type: ignore[arg-type]
    for shift in range(3):
        assert betrayed(found, base64.b64encode(b"a" * shift + MARKER.encode() + b"behind"))
        assert betrayed(found, base64.b64encode(b"a" * shift + MARKER.lower().encode() + b"b"))
    for content in (MARKER.lower(), MARKER.encode().hex(), MARKER.lower().encode().hex().upper()):
        assert betrayed(found, content.encode())
    assert betrayed(found, hashlib.sha256(f"{MARKER}x".lower().encode()).hexdigest().encode())
    assert betrayed(found, b"nothing of the kind") == []


@pytest.mark.parametrize("kept", ["quarantine", "held", "legacy_sessions_map", "conflicts", "legacy_archive"])
def test_sessions_are_known_by_their_legacy_id(planted: Planted, kept: str) -> None:
    """Never by the jti, which is the cookie."""
    with planted.source.connect() as connection:
        ids = {str(row[0]) for row in connection.execute("SELECT id FROM sessions").fetchall()}
    keys = planted.query(f"SELECT legacy_key FROM remoteiq_etl.{kept} WHERE legacy_table = 'sessions'")
    assert {str(row[0]) for row in keys} <= ids
