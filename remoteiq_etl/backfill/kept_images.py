"""Before images of rows that are changed or deleted without a staged row: those whose legacy rows are gone.

Belongs here: writing them for a condition. Does not belong here: what an image shows (see images).
"""

from typing import TYPE_CHECKING

from psycopg import sql

from remoteiq_etl.backfill.database import load_sql
from remoteiq_etl.backfill.images import Image, ImageWriter
from remoteiq_etl.backfill.spec import TableSpec

if TYPE_CHECKING:
    from remoteiq_etl.backfill.run import Run


def keep_images(run: "Run", spec: TableSpec, operation: str, affected: sql.Composable) -> None:
    """Keep the rows (t) of one table that meet a condition as they are now, in the transaction that changes them."""
    image = Image(list(spec.target.columns), run.state.schema)
    writer = ImageWriter(spec, run.target_name(spec.name), run.state.name("before_images"), run.sealer)
    statement = load_sql("kept_images").format(
        before_images=run.state.name("before_images"),
        source_id=sql.Literal(run.registered.id),
        run_id=sql.Literal(run.id),
        table_name=sql.Literal(spec.name),
        operation=sql.Literal(operation),
        target=run.target_name(spec.name),
        affected=affected,
        new_key=_new_key(spec),
        image=image.shown,
        hidden=image.hidden,
    )
    writer.write(run.session, statement, {})


def _new_key(spec: TableSpec) -> sql.Composable:
    """The new key of a row (t) as the map holds it: several columns as a JSON array without spaces."""
    columns = [sql.SQL("t.{}::text").format(sql.Identifier(name)) for name in spec.primary_key]
    if len(columns) == 1:
        return columns[0]
    parts = sql.SQL(" || ',' || ").join(sql.SQL("to_json({})::text").format(column) for column in columns)
    return sql.SQL("'[' || {} || ']'").format(parts)
