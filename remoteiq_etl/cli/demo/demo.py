"""`demo`: the edge-case data set, moved through Dagster, changed, re-synced and proven, on the bundled databases and on no others."""

from contextlib import closing

from psycopg import sql
from rich.console import Console

from remoteiq_etl.bundled_server import databases as bundled
from remoteiq_etl.cli import output, selection
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.proof import report, verify
from remoteiq_etl.cli.run import run, summary
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.fixtures import edge_cases
from remoteiq_etl.lifecycle import migration
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.verify import engine
from remoteiq_etl.verify.verdicts.model import VerificationVerdict
from schemas import ddl, legacy

SQL = statements(__file__)


def show(*, load_only: bool) -> Exit:
    """Fill the bundled legacy database unless it has rows; then load, change a few rows, re-sync, verify and report.

    DONE also with rows in quarantine; FAILED where a run fails or a difference is not explained.
    """
    settings = Settings.load()
    _refuse_real_databases(settings)
    console = output.results()
    with bundled.databases(settings) as databases:
        legacy_database = Database(databases.legacy, settings.legacy_schema)
        console.print(filled(legacy_database))
        if load_only:
            console.print("Nothing was migrated: remoteiq-etl run does it.")
            return Exit.DONE
        if not _loaded(settings, console):
            return Exit.FAILED
        return _proven(settings, legacy_database, console)


def _loaded(settings: Settings, console: Console) -> bool:
    outcome = run.execute(settings, None, len(selection.all_tables()))
    run.print_outcome(outcome, console)
    return outcome.success


def _proven(settings: Settings, legacy_database: Database, console: Console) -> Exit:
    """Change rows as the old application would, re-sync them, compare every row, and say where the report lies."""
    console.print(changed(legacy_database), markup=False)
    outcome = run.execute(settings, None, len(selection.all_tables()))
    summary.show(outcome.reports, console, title="What the re-sync did")
    if not outcome.success:
        run.print_errors(outcome)
        return Exit.FAILED
    verdict = _verified(settings)
    console.print(verify.conclusion(verdict), style=verify.style_of(verdict))
    _print_next(console)
    console.print(f"The report: {report.written(settings).page.resolve().as_uri()}", markup=False, soft_wrap=True)
    return Exit.DONE if verdict.passed else Exit.FAILED


def _verified(settings: Settings) -> VerificationVerdict:
    with migration.connected(settings, selection.specs()) as both:
        try:
            return engine.verify(both.plan())
        finally:
            both.after_verification()


def changed(database: Database) -> str:
    """Change a few legacy rows and add one, as the old application would; say what was done."""
    with closing(database.connect()) as session, session.transaction():
        for name in ("changed_tickets", "new_ticket", "changed_device"):
            session.execute(SQL[name])
    return "Then the old application went on: two tickets were changed, one was opened, a device was seen again."


def _refuse_real_databases(settings: Settings) -> None:
    for name, url in (("REMOTEIQ_LEGACY_URL", settings.legacy_url), ("REMOTEIQ_TARGET_URL", settings.target_url)):
        if url:
            raise ConfigurationError(
                f"the demo writes invented rows and runs on the bundled databases only, but {name} or the configuration"
                " file names a database of your own. Leave both URLs out for the demo; remoteiq-etl run is for yours."
            )


def filled(database: Database) -> str:
    """Make sure that the legacy database has rows; say what was done. All of it is one transaction."""
    with closing(database.connect()) as session, session.transaction():
        before = _rows(session, database.schema)
        if before:
            return f"The bundled legacy database is there already, with {before:,} rows."
        if before is None:
            _create(session, database.schema)
        counts = edge_cases.load(session.connection, database.schema)
    return f"Wrote {sum(counts.values()):,} rows into {len(counts)} legacy tables: every dirty case at least once."


def _rows(session: Session, schema: str) -> int | None:
    """Rows in all legacy tables; None when there are no tables yet."""
    found = session.rows("SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = %s", [schema])
    names = {name for (name,) in found} & {table.name for table in legacy.metadata.tables.values()}
    count = sql.SQL("SELECT count(*) FROM {}")
    return sum(session.value(count.format(sql.Identifier(schema, name))) for name in names) if names else None


def _create(session: Session, schema: str) -> None:
    for statement in (
        *ddl.extension_ddl(),
        *ddl.schema_ddl(schema),
        *ddl.create_enums(legacy.metadata, schema),
        *ddl.create_tables(legacy.metadata, schema, foreign_keys=True, indexes=True),
    ):
        session.execute(statement)


def _print_next(console: Console) -> None:
    console.print(
        "Rows in quarantine belong to the show: the examples have every fault that real databases have. Look on:\n"
        "  make dev                        the run, its tables and their lineage in Dagster's UI\n"
        "  remoteiq-etl quarantine list    which rows were stopped, and why\n"
        "  remoteiq-etl held list          which rows wait, and for what\n"
        "  README.md                       the way to databases of your own",
        markup=False,
    )
