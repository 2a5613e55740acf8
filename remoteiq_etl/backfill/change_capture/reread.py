"""Rows that are to be read again although nothing was written: they are missing in the target, or were withheld for want of a key.

Belongs here: finding them. Does not belong here: what waits or was forgotten on demand (see survey).
"""

from psycopg import sql

from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.outcomes.archive import names_of
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import Source, TableSpec

SQL = statements(__file__)


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
