"""Which columns the hash of what was last written covers, so that a target row can be compared with it without its legacy row.

Belongs here: remembering and reading them, and the comparison as SQL. Does not belong here: the hash of what comes in
(see merge).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from psycopg import sql

from remoteiq_etl.backfill.column_values import written_hash
from remoteiq_etl.backfill.database import load_sql
from remoteiq_etl.backfill.reach import Reach
from remoteiq_etl.backfill.spec import EMPTY, TableSpec

if TYPE_CHECKING:
    from remoteiq_etl.backfill.run import Run


def remember_written(run: "Run", spec: TableSpec, legacy_table: str, columns: Sequence[str]) -> None:
    """Keep the hashed columns of one table and legacy table; they change with the transform and the optional columns."""
    statement = load_sql("written_columns").format(**_names(run, spec, legacy_table))
    run.session.execute(statement, {"columns": list(columns)})


def current_hash(
    run: Reach, spec: TableSpec, legacy_table: str, row: str = "t", instead: Mapping[str, sql.Composable] = EMPTY
) -> sql.Composable:
    """The hash of a target row over the columns that were last written; NULL when they are not known or not there.

    `instead`: expressions that stand in for columns, where the hash after a change is wanted.
    """
    columns = written_columns(run, spec, legacy_table)
    if columns is None or not set(columns) <= set(spec.target.columns.keys()):
        return sql.SQL("NULL::bytea")
    return written_hash([(spec.target.columns[name], instead.get(name, sql.Identifier(row, name))) for name in columns])


def written_columns(run: Reach, spec: TableSpec, legacy_table: str) -> list[str] | None:
    """The columns that the hash of what was last written covers; None where nothing was written."""
    query = sql.SQL(
        "SELECT columns FROM {written_columns} WHERE source_id = {source_id} AND table_name = {table_name}"
        " AND legacy_table = {legacy_table}"
    )
    found: list[str] | None = run.session.value(query.format(**_names(run, spec, legacy_table)))
    return found


def _names(run: Reach, spec: TableSpec, legacy_table: str) -> dict[str, sql.Composable]:
    return {
        "written_columns": run.state.name("written_columns"),
        "source_id": sql.Literal(run.registered.id),
        "table_name": sql.Literal(spec.name),
        "legacy_table": sql.Literal(legacy_table),
    }
