"""Before images of rows that are changed or deleted without a staged row: those whose legacy rows are gone.

Belongs here: writing them for a condition. Does not belong here: what an image shows (see images).
"""

from collections.abc import Sequence

from psycopg import sql

from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.outcomes.before_images import Image, ImageWriter
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec

SQL = statements(__file__)


def keep_images(run: RunContext, spec: TableSpec, operation: str, affected: sql.Composable) -> list[int]:
    """Keep the rows (t) of one table that meet a condition as they are now, in the transaction that changes them.

    Returns the ids of the images; after a change `remember_left` is due.
    """
    statement = SQL["bulk_images"].format(
        **run.names(spec),
        operation=sql.Literal(operation),
        affected=affected,
        new_key=_new_key(spec),
        mapped=_mapped(run, spec),
        **Image.of(spec, run.state.schema).statement,
    )
    return _writer(run, spec).write(run.session, statement, {})


def remember_left(run: RunContext, spec: TableSpec, images: Sequence[int]) -> None:
    """Remember what the rows of these images are after the change."""
    _writer(run, spec).remember_left(run.session, images)


def _writer(run: RunContext, spec: TableSpec) -> ImageWriter:
    return ImageWriter(spec, run.target_name(spec.name), run.state.schema, run.sealer)


def _mapped(run: RunContext, spec: TableSpec) -> sql.Composable:
    """The map row that leads to a target row (t); its columns are null where none does."""
    if not run.state.has_map(run.session, spec.name):
        return sql.SQL(
            "SELECT NULL::text AS legacy_table, NULL::text AS legacy_key, NULL::bytea AS written_hash, NULL::jsonb AS last_written"
        )
    mapped = sql.SQL(
        "SELECT m.legacy_table, m.legacy_key::text AS legacy_key, m.written_hash, m.last_written FROM {map} AS m"
        " WHERE m.source_id = {source_id} AND m.state = 'live' AND {key_join} LIMIT 1"
    )
    return mapped.format(**run.names(spec))


def _new_key(spec: TableSpec) -> sql.Composable:
    """The new key of a row (t) as the map holds it: several columns as a JSON array without spaces."""
    columns = [sql.SQL("t.{}::text").format(sql.Identifier(name)) for name in spec.primary_key]
    if len(columns) == 1:
        return columns[0]
    parts = sql.SQL(" || ',' || ").join(sql.SQL("to_json({})::text").format(column) for column in columns)
    return sql.SQL("'[' || {} || ']'").format(parts)
