"""The report from settings to files: gather everything in one snapshot of the target, write HTML and JSON.

Belongs here: the order of it. Does not belong here: any part of the report (see their modules), Dagster, the command line.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from remoteiq_etl.bundled_server import databases as bundled
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConnectionFailed, ReportError, UnknownTable
from remoteiq_etl.lifecycle.explain import Explainer, Explanation
from remoteiq_etl.lifecycle.mapping.column_map import column_map
from remoteiq_etl.lifecycle.operations.overview import Overview
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.report import document, page, search, values, verification, waiting
from remoteiq_etl.report.accounts import TableAccounts
from remoteiq_etl.report.before import gate, tasks
from remoteiq_etl.report.model import GatePage, Report, Verified
from remoteiq_etl.report.reading import Reader
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.schema import State, program_version
from remoteiq_etl.verify.coverage import Coverage
from remoteiq_etl.verify.incremental.freshness import freshness
from remoteiq_etl.verify.verdicts import store
from remoteiq_etl.verify.verdicts.model import DATABASE, TableVerdict

#: Runs that the history shows: a week of a re-sync every few hours; the charts stay readable.
MOST_RUNS = 60
#: What the redesign leaves behind by design, whatever the legacy database holds.
NOT_MIGRATED: Mapping[str, str] = {
    "view roles_with_meta": "legacy's own; roles and role_meta are migrated",
    "function select_all_tables": "legacy's own",
    "legacy triggers, functions and sequences": "they belong to the legacy application",
    "backup_targets": "named in the design, not in the redesign: the targets are in backup_policies.options",
    "backup_jobs.agent_id": "named in the design, not in the redesign",
    "requester_contact": "named in the design: the table is contacts",
}


@dataclass(frozen=True)
class Written:
    """The two files of a report."""

    page: Path
    data: Path
    report: Report


@dataclass(frozen=True)
class ReportScope:
    """What is reported on: the declarations by asset, and the domain of each."""

    specs: Mapping[str, TableSpec]
    domains: Mapping[str, str]


def write(settings: Settings, scope: ReportScope, path: Path | None = None, record: Sequence[str] = ()) -> Written:
    """Write the report of the configured source as HTML to `path` (default: below the home directory) and as JSON beside it.

    `record`: a table and the parts of a key, the row that is explained in it. Both files hold rows of the installation
    (without secrets) and can be read by their owner alone. Raises ReportError when no run of the source has begun yet, or
    the file cannot be written, UnknownTable when nothing has the name of the table.
    """
    with bundled.databases(settings) as databases:
        target = Database(databases.target, settings.target_schema)
        legacy = Database(databases.legacy, settings.legacy_schema, read_only=True)
        report = gather(settings, scope, target, legacy, record)
    path = path or settings.home / "reports" / f"migration-{settings.source}.html"
    data = path.with_suffix(".json")
    if data == path:
        raise ReportError(
            f"{path}: expected the name of an HTML file, because the JSON is written beside it; call it .html."
        )
    _write(path, page.render(report, data.name))
    _write(data, document.as_json(report))
    return Written(path, data, report)


def gather(
    settings: Settings, scope: ReportScope, target: Database, legacy: Database, record: Sequence[str] = ()
) -> Report:
    """Everything that is in a report. Raises ReportError when no run of the source has begun yet."""
    with contextlib.closing(target.connect()) as session:
        overview = Overview.of(session, State(target, settings.state_schema), settings.source)
        if overview is None:
            raise ReportError(
                f"No run of the source {settings.source} has begun yet in this target: there is nothing to report."
                " remoteiq-etl run brings the first rows."
            )
        reader = Reader(session, overview.state, settings.source, overview.source_id)
        row = _explained(reader, scope.specs, legacy, record) if record else None
        gate_page = gate.page(settings, scope.specs, target, legacy, reader)
        with reader.snapshot():
            return _gathered(reader, overview, settings, scope, gate_page, row)


def _gathered(
    reader: Reader,
    overview: Overview,
    settings: Settings,
    scope: ReportScope,
    gate_page: GatePage,
    record: Explanation | None,
) -> Report:
    session = reader.session
    verdicts = store.read(session, reader.state, reader.source_id)
    known = overview.tables()
    verified = _verified(reader, scope, verdicts)
    verdict = verification.overall(verified)
    tables = TableAccounts(reader, scope.specs, scope.domains, verified).tables(known)
    present = {table.name for table in tables if table.rows is not None}
    maps, met = values.maps(scope.specs.values(), settings.values), values.met(reader)
    matrices = values.matrices(reader, maps, values.measured(verdicts), met, present)
    return Report(
        source=settings.source,
        target=_place(session),
        made_at=datetime.now(UTC),
        program=program_version(),
        verdict=verdict,
        tasks=tasks.find(reader, scope.specs, present, verdict),
        tables=tables,
        database=verified[DATABASE],
        matrices=matrices,
        formats=values.formats(maps, met, {matrix.name for matrix in matrices}),
        quarantine=waiting.quarantine(reader),
        held=waiting.held(reader),
        conflicts=waiting.conflicts(reader),
        left_out=waiting.left_out(reader),
        archive=waiting.archive(overview.archived(), column_map(scope.specs)),
        runs=overview.runs(MOST_RUNS),
        not_migrated=_not_migrated(scope.specs),
        index=search.index(reader, sum(row.mapped for row in known)),
        gate=gate_page,
        record=record,
    )


def _verified(reader: Reader, scope: ReportScope, verdicts: Sequence[TableVerdict]) -> dict[str, Verified]:
    names = sorted({spec.name for spec in scope.specs.values()})
    fresh = freshness(reader.session, reader.state, reader.source_id, names)
    gaps = Coverage.read(reader.session, reader.state, reader.source_id).gaps(scope.specs)
    return verification.verified(scope.specs.values(), verdicts, verification.stale_tables(fresh), gaps)


def _not_migrated(specs: Mapping[str, TableSpec]) -> dict[str, str]:
    empty = {f"table {name}": spec.no_source for name, spec in sorted(specs.items()) if spec.no_source}
    return {**empty, **NOT_MIGRATED}


def _place(session: Session) -> str:
    name, version = session.rows("SELECT current_database(), current_setting('server_version')")[0]
    return f"database {name}, schema {session.database.schema}, PostgreSQL {version}"


# --- one record -----------------------------------------------------------------------------------------------------


def _explained(reader: Reader, specs: Mapping[str, TableSpec], legacy: Database, record: Sequence[str]) -> Explanation:
    """What is known of one row; after the cut-over the legacy database may be gone, and the rest is told all the same."""
    table, *keys = record
    with _connected(legacy) as old:
        explainer = Explainer(reader.session, reader.state, reader.source, reader.source_id, specs, old)
        if not explainer.knows(table):
            raise UnknownTable(
                f"there is no table {table!r}: expected a legacy table or a target table, as explain takes it."
            )
        return explainer.of(table, keys)


@contextlib.contextmanager
def _connected(database: Database) -> Iterator[Session | None]:
    try:
        session = database.connect()
    except ConnectionFailed:
        yield None
        return
    with contextlib.closing(session):
        yield session


# --- files ----------------------------------------------------------------------------------------------------------


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all, for its owner alone."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.touch(mode=0o600)
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise ReportError(
            f"{path}: the report cannot be written ({error.strerror}). Name another file with --out."
        ) from error
