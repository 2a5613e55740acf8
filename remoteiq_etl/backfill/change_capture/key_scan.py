"""The complete read: every key that a legacy table holds in the snapshot of the run, staged where the map can be compared.

Keys alone are small; they are streamed, so that memory stays flat whatever the table has. Belongs here: whether a table
can be read as a whole, and staging its keys. Does not belong here: what is concluded from a key that is missing (see
gone) or from a row that differs (see sweep).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
from psycopg import sql
from sqlalchemy import Table

from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.source.extract import rebatched
from remoteiq_etl.frames.dtypes import TEXT, from_arrow, key_array
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.postgres.database import Database
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import Source

SQL = statements(__file__)

#: Keys of one COPY. A round trip per batch of the reader (some thousand rows) would cost more than the rows.
CHUNK_ROWS = 200_000


@dataclass(frozen=True)
class KeyStage:
    """The keys of one complete read, in a table of the state schema. `rows`: how many there are."""

    name: str
    identifier: sql.Identifier
    rows: int


def unreadable(run: RunContext, table: str) -> str | None:
    """Why not every row of a legacy table can be read; None when it can."""
    query = SQL["readable"].as_string(None)
    found = run.snapshot.session.rows(query, [run.legacy.schema, table])
    if not found:
        return f"{run.legacy.schema}.{table} does not exist"
    allowed, filtered = found[0]
    if not allowed:
        return f"{run.legacy.schema}.{table} may not be read: SELECT on it is missing"
    return f"row security hides rows of {run.legacy.schema}.{table}" if filtered else None


def stage_source(run: RunContext, source: Source, key_type: str, number: int) -> KeyStage:
    """Stage the keys of everything that a source yields."""
    return _staged(run, _keys(run, key_query(run.legacy, source.table, source.key_columns)), key_type, number)


def stage_table(run: RunContext, table: Table, number: int) -> KeyStage:
    """Stage the primary keys of a whole legacy table, as text."""
    columns = tuple(column.name for column in table.primary_key.columns)
    return _staged(run, _keys(run, key_query(run.legacy, table, columns)), "text", number)


def stage_keys(run: RunContext, keys: pd.Series, key_type: str, number: int) -> KeyStage:
    """Stage keys that are known already."""
    return _staged(run, iter([keys.astype(TEXT)] if len(keys) else []), key_type, number)


def drop(run: RunContext, stage: KeyStage) -> None:
    """Remove a stage."""
    run.session.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(stage.identifier))


def key_query(database: Database, table: Table, columns: tuple[str, ...], more: sql.Composable | None = None) -> str:
    """The SELECT of a table's keys, each column as the text that stands in the map, and of `more` of each row."""
    items = [sql.SQL("{}::text").format(sql.Identifier(name)) for name in columns] + ([more] if more else [])
    return sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(items), database.table(table.name)).as_string(None)


def keys_of(rows: pa.Table) -> pd.Series:
    """The legacy key of each row of key columns; several columns as a JSON array."""
    if rows.num_columns == 1:
        return from_arrow(rows.rename_columns(["key"]))["key"].astype(TEXT)
    parts = [column.to_pylist() for column in rows.columns]
    return pd.Series([key_text(values) for values in zip(*parts, strict=True)], dtype=TEXT)


def _keys(run: RunContext, query: str) -> Iterator[pd.Series]:
    for rows in rebatched(run.reader.batches(query), CHUNK_ROWS):
        yield keys_of(rows)


def _staged(run: RunContext, chunks: Iterator[pd.Series], key_type: str, number: int) -> KeyStage:
    tables = (pa.table({"_key": key_array(keys, key_type)}) for keys in chunks)
    return staged(run, tables, {"_key": key_type}, f"keys_{number}")


def staged(run: RunContext, chunks: Iterator[pa.Table], columns: Mapping[str, str], name: str) -> KeyStage:
    """Stage rows under a name that is this run's own; `columns` with their types."""
    name = f"stage_{run.source_record.id}_{run.id}_{name}"
    identifier, rows = run.state.name(name), 0
    typed = [sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in columns.items()]
    run.session.execute(sql.SQL("CREATE UNLOGGED TABLE {} ({})").format(identifier, sql.SQL(", ").join(typed)))
    for chunk in chunks:
        run.writer.append(run.state.schema, name, chunk)
        rows += chunk.num_rows
    # Without statistics the planner takes the stage for a thousand rows and hashes the whole map.
    run.session.execute(sql.SQL("ANALYZE {}").format(identifier))
    return KeyStage(name, identifier, rows)
