"""Resets as a run sees them: what was forgotten on demand and is to be read again, until a run has done so.

Belongs here: reading and closing them. Does not belong here: forgetting (remoteiq_etl.lifecycle.operations.reset).
"""

from psycopg import sql

from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.outcomes.archive import names_of
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import Source, TableSpec

SQL = statements(__file__)

#: Stands where the fingerprint of a completed asset would: nothing that it read before counts.
FORGOTTEN = ""
#: The same of an asset that was loaded although a table that it refers to had failed in that run.
UNSETTLED = "unsettled"


def forgotten_rows(run: RunContext, spec: TableSpec) -> list[tuple[str, str]]:
    """Legacy table and key of each row that is to be read again."""
    query = sql.SQL(
        "SELECT legacy_table, legacy_key FROM {} WHERE source_id = %s AND table_name = %s AND run_id IS NULL"
        " AND legacy_key IS NOT NULL"
    )
    rows = run.session.rows(query.format(run.state.name("resets")), [run.source_record.id, spec.asset])
    return [(str(table), str(key)) for table, key in rows]


def close_resets(run: RunContext, spec: TableSpec) -> None:
    """Note that this run has read again what was forgotten of an asset."""
    update = sql.SQL("UPDATE {} SET run_id = %s WHERE source_id = %s AND table_name = %s AND run_id IS NULL")
    run.session.execute(update.format(run.state.name("resets")), [run.id, run.source_record.id, spec.asset])


def to_return(run: RunContext, spec: TableSpec) -> list[tuple[str, str]]:
    """Legacy table and key of each row that is missing in the target and has to be there."""
    if spec.returns_with is None or not run.has_target(spec.name) or not run.state.has_map(run.session, spec.name):
        return []
    query = SQL["to_return"].format(
        **run.names(spec),
        column=sql.Literal(spec.returns_with),
    )
    return [(table, key) for table, key in run.session.rows(query)]


def to_be_sealed(run: RunContext, spec: TableSpec) -> list[tuple[str, str]]:
    """The rows (legacy table, legacy key) of which a secret is withheld although a key is given now."""
    if run.sealer is None:
        return []
    sources = [source.name for source in spec.sources if isinstance(source, Source)]
    found = run.session.rows(SQL["withheld"].format(**names_of(run, spec.asset)), {"legacy_tables": sources})
    return [(str(table), str(key)) for table, key in found]
