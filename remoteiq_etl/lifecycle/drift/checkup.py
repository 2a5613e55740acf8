"""What must be true of the two databases besides their shape: versions, rights, extensions, our own state.

Belongs here: findings about live databases, each with what to do. It only reads, so it works on a target that is still
empty. Does not belong here: differences of the schemas (`drift`), and showing findings (the command line).
"""

import contextlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TypeVar

import psycopg
from psycopg import sql

from remoteiq_etl.config.urls import redact_url
from remoteiq_etl.errors import ConnectionFailed
from remoteiq_etl.lifecycle.drift import surroundings
from remoteiq_etl.lifecycle.drift.findings import CheckFinding, CheckStatus, Checkup
from remoteiq_etl.lifecycle.drift.report import DriftReport, compare
from remoteiq_etl.lifecycle.drift.shape import describe
from remoteiq_etl.lifecycle.drift.verdicts import Side
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.postgres.encodings import unreadable_in
from remoteiq_etl.postgres.errors.failures import DATABASE_ERRORS, brief, fault_of
from remoteiq_etl.postgres.session_checks import why_shared
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.schema import State
from schemas import ddl, legacy, state, target

SQL = statements(__file__)

OLDEST, NEWEST = 13, 18
"""The major versions of PostgreSQL that the tests know."""

#: Names in a finding: enough to see the pattern.
_FEW = 4


@dataclass(frozen=True)
class _Server:
    version_number: int
    version: str
    encoding: str
    standby: bool
    database: str
    role: str
    superuser: bool
    may_create_schemas: bool
    may_use_schema: bool | None
    may_create_tables: bool | None


@dataclass(frozen=True)
class _Table:
    name: str
    may_read: bool
    may_write: bool
    may_change: bool
    rows_hidden: bool


_Row = TypeVar("_Row", _Server, _Table)


def examine_legacy(database: Database, drift: Callable[[Session], DriftReport], *, bundled: bool = False) -> Checkup:
    """Look at the legacy database; `drift` is what a run would make of its schema.

    `bundled`: it is the project's own, where more rights than needed are no fault.
    """
    schema = database.schema
    return _examine(
        database, "legacy", lambda session: _legacy_findings(session, schema, bundled=bundled), drift, bundled=bundled
    )


def examine_target(
    database: Database, state_schema: str, *, bundled: bool = False, legacy_bytes: int | None = None
) -> Checkup:
    """Look at the target database, and at our state schema in it. `legacy_bytes`: for which there must be room."""
    state_of = State(database, state_schema)

    def drift(session: Session) -> DriftReport:
        return compare(session.connection, database.schema, target.metadata, "target")

    def look(session: Session) -> Iterator[CheckFinding]:
        yield from _target_findings(session, state_of)
        if legacy_bytes is not None:
            yield surroundings.room(session, legacy_bytes, [database.schema, state_schema])

    return _examine(database, "target", look, drift, bundled=bundled)


def _examine(
    database: Database,
    side: Side,
    look: Callable[[Session], Iterator[CheckFinding]],
    drift: Callable[[Session], DriftReport],
    *,
    bundled: bool,
) -> Checkup:
    where = "the bundled server" if bundled else redact_url(database.url)
    try:
        session = database.connect()
    except ConnectionFailed as error:
        failed = CheckFinding(
            side, "connection", str(error), CheckStatus.BLOCKS, "mend the connection, then look again"
        )
        return Checkup(side, (failed,), None)
    findings = [CheckFinding(side, "connection", f"{where}, schema {database.schema}")]
    with contextlib.closing(session):
        try:
            findings += _sessions(side, session)
            findings.extend(look(session))
            findings.extend(surroundings.around(session, side))
            return Checkup(side, tuple(findings), drift(session), surroundings.size(session, [database.schema]))
        except DATABASE_ERRORS as error:
            advice = fault_of(error).advice
            return Checkup(
                side, (*findings, CheckFinding(side, "reading", brief(error), CheckStatus.BLOCKS, advice)), None
            )


def _sessions(side: Side, session: Session) -> Iterator[CheckFinding]:
    if (why := why_shared(session)) is not None:
        found, _, advice = why.partition(": ")
        yield CheckFinding(side, "sessions", found, CheckStatus.BLOCKS, advice)


def _legacy_findings(session: Session, schema: str, *, bundled: bool) -> Iterator[CheckFinding]:
    server = _one(session, _Server, "server", schema)
    yield from _server_findings("legacy", server)
    tables = [table for table in _tables(session, schema) if table.name in describe(legacy.metadata).tables]
    if tables:
        yield _reading(server, tables)
        yield _hidden("legacy", server.role, tables)
    if not bundled:
        yield _beyond_reading(server, tables)


def _server_findings(side: Side, server: _Server) -> Iterator[CheckFinding]:
    yield _version(side, server)
    if server.encoding != "UTF8":
        yield _encoding(side, server.encoding)


def _encoding(side: Side, encoding: str) -> CheckFinding:
    if side == "target":
        advice = "texts that this encoding has no characters for are refused; UTF8 has them all"
        return CheckFinding(side, "encoding", encoding, CheckStatus.WARNS, advice)
    if unreadable_in(encoding) is not None:
        advice = "a row with bytes that are no text in it is quarantined, a table with such keys is not loaded"
        return CheckFinding(side, "encoding", encoding, CheckStatus.WARNS, advice)
    return CheckFinding(side, "encoding", f"{encoding}, read as UTF-8")


def _version(side: Side, server: _Server) -> CheckFinding:
    major, found = server.version_number // 10_000, f"PostgreSQL {server.version}"
    if major < OLDEST:
        advice = f"{OLDEST} to {NEWEST} are supported; upgrade the server, or restore a dump of it on a newer one"
        return CheckFinding(side, "server", found, CheckStatus.BLOCKS, advice)
    if major > NEWEST:
        return CheckFinding(
            side, "server", found, CheckStatus.WARNS, f"{OLDEST} to {NEWEST} are tested, this one is not"
        )
    return CheckFinding(side, "server", found)


def _reading(server: _Server, tables: list[_Table]) -> CheckFinding:
    if server.may_use_schema is False:
        advice = f"GRANT USAGE ON SCHEMA … TO {server.role}"
        return CheckFinding("legacy", "rights", f"{server.role} may not use the schema", CheckStatus.BLOCKS, advice)
    lacking = [table.name for table in tables if not table.may_read]
    if lacking:
        advice = f"GRANT SELECT ON ALL TABLES IN SCHEMA … TO {server.role}"
        return CheckFinding(
            "legacy",
            "rights",
            f"{server.role} may not read {_few(lacking)}",
            CheckStatus.BLOCKS,
            advice,
            of_tables=True,
        )
    return CheckFinding("legacy", "rights", f"{server.role} may read all {len(tables)} tables")


def _hidden(side: Side, role: str, tables: list[_Table]) -> CheckFinding:
    hidden = [table.name for table in tables if table.rows_hidden]
    if not hidden:
        return CheckFinding(side, "row security", "hides no rows")
    advice = (
        f"rows that a policy hides would be taken for deleted; ALTER ROLE {role} BYPASSRLS (a superuser may), or connect as the"
        " owner of the tables while they have no FORCE ROW LEVEL SECURITY"
    )
    found = f"hides rows of {_few(hidden)} from {role}"
    return CheckFinding(side, "row security", found, CheckStatus.BLOCKS, advice, of_tables=True)


def _beyond_reading(server: _Server, tables: list[_Table]) -> CheckFinding:
    changeable = [table.name for table in tables if table.may_change]
    more = [
        *(["is superuser"] if server.superuser else []),
        *([f"may change {_few(changeable)}"] if changeable else []),
        *(["may create tables in the schema"] if server.may_create_tables else []),
    ]
    if not more:
        return CheckFinding("legacy", "no more rights", "SELECT alone, as it should be")
    advice = "SELECT suffices and sessions are read-only; a role that can do no more is the safer one"
    return CheckFinding("legacy", "no more rights", f"{server.role} {', '.join(more)}", CheckStatus.WARNS, advice)


def _target_findings(session: Session, own: State) -> Iterator[CheckFinding]:
    schema = own.target.schema
    server = _one(session, _Server, "server", schema)
    yield from _server_findings("target", server)
    if server.standby:
        advice = "it cannot be written; name the primary in REMOTEIQ_TARGET_URL"
        yield CheckFinding("target", "standby", "the server is in recovery", CheckStatus.BLOCKS, advice)
    yield from _extensions(session, server)
    tables = _tables(session, schema)
    yield _writing(server, tables)
    if own.exists(session):
        tables += _tables(session, own.schema)
    yield _hidden("target", server.role, tables)
    yield _state(session, server, own)


def _extensions(session: Session, server: _Server) -> Iterator[CheckFinding]:
    rows = session.rows(
        "SELECT name, installed_version FROM pg_catalog.pg_available_extensions WHERE name = ANY (%s)",
        [list(ddl.EXTENSIONS)],
    )
    known: dict[str, str | None] = dict(rows)
    for name in ddl.EXTENSIONS:
        subject = f"extension {name}"
        if version := known.get(name):
            yield CheckFinding("target", subject, version)
        elif name not in known:
            advice = "install the contrib package of the server"
            yield CheckFinding("target", subject, "the server does not have it", CheckStatus.BLOCKS, advice)
        elif server.may_create_schemas:
            yield CheckFinding("target", subject, "not installed yet", advice="the first run installs it")
        else:
            advice = f"let an administrator run CREATE EXTENSION {name}"
            yield CheckFinding("target", subject, f"{server.role} may not install it", CheckStatus.BLOCKS, advice)


def _writing(server: _Server, tables: list[_Table]) -> CheckFinding:
    """Judge the rights on tables that are there, and to create those that are not."""
    shapes = describe(target.metadata).tables
    present = {table.name: table for table in tables if table.name in shapes}
    lacking = [
        name for name, table in present.items() if not table.may_read or (shapes[name].written and not table.may_write)
    ]
    missing = len(shapes) - len(present)
    creatable = server.may_create_schemas if server.may_create_tables is None else server.may_create_tables
    if lacking or server.may_use_schema is False:
        found = f"{server.role} may not write {_few(lacking) if lacking else 'in the schema'}"
        advice = f"GRANT USAGE ON SCHEMA and SELECT, INSERT, UPDATE, DELETE ON ALL TABLES to {server.role}"
        return CheckFinding("target", "rights", found, CheckStatus.BLOCKS, advice)
    if missing and not creatable:
        advice = f"GRANT CREATE ON SCHEMA … TO {server.role}, or let the application create its tables first"
        found = f"{server.role} may not create the {missing} tables that are missing"
        return CheckFinding("target", "rights", found, CheckStatus.BLOCKS, advice)
    return CheckFinding("target", "rights", f"{server.role} may write {len(present)} tables and create {missing}")


def _state(session: Session, server: _Server, own: State) -> CheckFinding:
    """Judge our own schema: its version, or whether it can be created."""
    subject = f"state schema {own.schema}"
    if not own.exists(session):
        found = "not there yet"
        if server.may_create_schemas:
            return CheckFinding("target", subject, found, advice="the first run creates it")
        advice = f"GRANT CREATE ON DATABASE {server.database} TO {server.role}"
        return CheckFinding(
            "target", subject, f"{found}, and {server.role} may not create it", CheckStatus.BLOCKS, advice
        )
    try:
        version = session.value(sql.SQL("SELECT schema_version FROM {}").format(own.name("meta")))
    except psycopg.errors.InsufficientPrivilege:
        advice = f"run as the role that created it, or grant {server.role} its rights"
        return CheckFinding("target", subject, f"{server.role} may not read it", CheckStatus.BLOCKS, advice)
    if version != state.SCHEMA_VERSION:
        found = f"version {version}, this program knows {state.SCHEMA_VERSION}"
        if version is not None and version < state.SCHEMA_VERSION:
            return CheckFinding("target", subject, found, advice="the next run or verification brings it up to date")
        return CheckFinding("target", subject, found, CheckStatus.BLOCKS, "use the newer program")
    return CheckFinding("target", subject, f"version {version}")


def _few(names: Collection[str]) -> str:
    shown = ", ".join(sorted(names)[:_FEW])
    return shown if len(names) <= _FEW else f"{shown} and {len(names) - _FEW} more"


def _tables(session: Session, schema: str) -> list[_Table]:
    return _rows(session, _Table, "tables", schema)


def _one(session: Session, row_type: type[_Row], what: str, schema: str) -> _Row:
    return _rows(session, row_type, what, schema)[0]


def _rows(session: Session, row_type: type[_Row], what: str, schema: str) -> list[_Row]:
    return session.objects(row_type, SQL[what], {"schema": schema})
