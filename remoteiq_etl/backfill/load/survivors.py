"""Succession: a row that several legacy rows became goes on under another of them when the one it was written from is gone.

The new winner is decided by the table's own rules. Here it inherits what was last written, so that the row is compared as
ever, and neither made a second time nor taken for somebody else's. Belongs here: that moment. Does not belong here: who wins.
"""

from psycopg import sql

from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.load.merge_statements import Merge
from remoteiq_etl.backfill.source.selection import is_one_of
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.map_queries import hand_over, has_merged

SQL = statements(__file__)


def take_over(run: RunContext, spec: TableSpec, legacy_table: str, merge: Merge) -> None:
    """Let staged keys that were merged into a row take it over, where the key that it was written from is gone."""
    # Winners are decided set-wise, and never among the millions of rows of a log: their maps are not searched.
    if spec.decide is None or spec.log_like or not has_merged(run, spec):
        return
    names = {"map": sql.Identifier(run.state.schema, merge.map.name), "source_id": sql.Literal(run.source_record.id)}
    staged = {"stage": merge.stage.identifier, "legacy_table": sql.Literal(legacy_table)}
    successors = run.session.rows(SQL["successors"].format(**names, **staged))
    gone = _deleted_at_source(run, spec, legacy_table, {former for _, former in successors})
    for successor, former in successors:
        if former in gone:
            hand_over(run, spec, run.id, (legacy_table, former), (legacy_table, successor))


def _deleted_at_source(run: RunContext, spec: TableSpec, legacy_table: str, keys: set[str]) -> set[str]:
    """Which of these keys the legacy table does not have."""
    source = next((one for one in spec.streamed if one.name == legacy_table), None)
    if source is None or not keys:
        return set()
    columns = sql.SQL(", ").join(sql.SQL("l.{}::text").format(sql.Identifier(name)) for name in source.key_columns)
    query = sql.SQL("SELECT {} FROM {} AS l WHERE {}").format(
        columns, run.legacy.table(legacy_table), is_one_of(source, keys)
    )
    there = {row[0] if len(row) == 1 else key_text(row) for row in run.snapshot.session.rows(query)}
    return keys - there
