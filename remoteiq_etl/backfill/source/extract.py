"""The extract: legacy rows as Arrow batches, read in the snapshot of the run, with the hash of each row.

Belongs here: the SELECT of a source and the cutting into batches. Does not belong here: the snapshot (see snapshot) and
everything after the frame (contracts, transforms).
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow as pa
from psycopg import sql
from sqlalchemy import ClauseElement, Column, ColumnElement, Select, Text
from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.backfill.source.selection import Selection
from remoteiq_etl.frames.dtypes import TEXT, from_arrow
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.postgres.arrow import ArrowSession
from remoteiq_etl.postgres.database import Database
from remoteiq_etl.postgres.encodings import Unreadable, readable
from remoteiq_etl.postgres.row_hash import row_hash
from remoteiq_etl.spec.batch import HASH, KEY, ODD_TIMES
from remoteiq_etl.spec.table import Source
from remoteiq_etl.spec.times import is_carried

#: JSON array of the columns of a row whose bytes are no text. Only where the database's encoding has such.
UNREADABLE = "_unreadable"
#: A batch ends at this size even when it has fewer rows than asked for: texts of a megabyte exist.
BATCH_BYTES = 64 * 1024 * 1024


def source_query(database: Database, source: Source, selection: Selection | None = None) -> str:
    """The SELECT that extracts one source: every column in a form that Arrow holds, its hash and its odd times."""
    table = sql.Identifier(database.schema, source.table.name)
    columns = [column for column in source.table.columns if column.name not in source.absent]
    bad = database.unreadable
    items = [sql.SQL("{} AS {}").format(_readable(column, bad), sql.Identifier(column.name)) for column in columns]
    items += [sql.SQL("NULL::text AS {}").format(sql.Identifier(name)) for name in sorted(source.absent)]
    items.append(sql.SQL("{} AS {}").format(row_hash([_name(column) for column in columns]), sql.Identifier(HASH)))
    items.append(sql.SQL("{} AS {}").format(_odd_times(columns), sql.Identifier(ODD_TIMES)))
    if bad is not None:
        texts = [(str(column.name), _text(column)) for column in columns if _is_text(column)]
        items.append(sql.SQL("{} AS {}").format(bad.names(texts), sql.Identifier(UNREADABLE)))
    query = sql.SQL("SELECT {} FROM {} AS l").format(sql.SQL(", ").join(items), table)
    return query.as_string(None) + _where(database, source, selection)


def compiled(element: ClauseElement, database: Database) -> str:
    """A SQLAlchemy SELECT or condition as SQL text for this database, with its literals in place."""
    statement = element.compile(
        dialect=pg.dialect(paramstyle="named"),  # type: ignore[no-untyped-call]
        compile_kwargs={"literal_binds": True},
        schema_translate_map={"legacy": database.schema, "target": database.schema},
        render_schema_translate=True,
    )
    return str(statement)


def select_query(database: Database, query: Select[Any]) -> str:
    """A decide step's SELECT with its columns in forms that Arrow holds."""
    columns = [
        sql.SQL("{} AS {}").format(_readable(column, database.unreadable), _name(column))
        for column in query.selected_columns
    ]
    outer = sql.SQL("SELECT {} FROM (").format(sql.SQL(", ").join(columns)).as_string(None)
    return f"{outer}{compiled(query, database)}) AS q"


def count_query(database: Database, source: Source, selection: Selection | None = None) -> str:
    """The exact number of rows that the extract will return."""
    query = sql.SQL("SELECT count(*) FROM {} AS l").format(sql.Identifier(database.schema, source.table.name))
    return query.as_string(None) + _where(database, source, selection)


def _where(database: Database, source: Source, selection: Selection | None) -> str:
    return f" WHERE {selection.condition(database, source).as_string(None)}" if selection is not None else ""


def frames(
    session: ArrowSession, source: Source, batch_rows: int, selection: Selection | None = None
) -> Iterator[pd.DataFrame]:
    """The rows of a source (or a selection of them) in frames of at most `batch_rows` rows, each with KEY and HASH."""
    query = source_query(session.database, source, selection)
    for table in rebatched(session.batches(query), batch_rows):
        frame = from_arrow(table)
        frame[KEY] = legacy_keys(frame, source)
        yield frame


def rebatched(batches: Iterator[pa.RecordBatch], rows: int, size: int = BATCH_BYTES) -> Iterator[pa.Table]:
    """The same rows in tables of at most `rows` rows and about `size` bytes."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        at = 0
        while at < batch.num_rows:
            piece = batch.slice(at, min(rows - sum(part.num_rows for part in waiting), _fitting(batch, size)))
            if waiting and sum(part.nbytes for part in waiting) + piece.nbytes > size:
                yield pa.Table.from_batches(waiting)
                waiting = []
                continue
            at += piece.num_rows
            waiting.append(piece)
            if sum(part.num_rows for part in waiting) == rows:
                yield pa.Table.from_batches(waiting)
                waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)


def legacy_keys(frame: pd.DataFrame, source: Source) -> pd.Series:
    """The legacy key of each row as text; several columns as a JSON array."""
    columns = source.key_columns
    if len(columns) == 1:
        return frame[columns[0]].astype(TEXT)
    parts = [frame[column].astype(TEXT).to_list() for column in columns]
    return pd.Series([key_text(values) for values in zip(*parts, strict=True)], index=frame.index, dtype=TEXT)


def _fitting(batch: pa.RecordBatch, size: int) -> int:
    """How many rows of a batch have about this size."""
    return max(1, int(batch.num_rows * size / max(batch.nbytes, 1)))


def _name(column: Column[Any] | ColumnElement[Any]) -> sql.Identifier:
    return sql.Identifier(str(column.name))


def _is_time(column: ColumnElement[Any]) -> bool:
    return isinstance(column.type, pg.TIMESTAMP)


def _is_text(column: ColumnElement[Any]) -> bool:
    """Whether a column may hold any bytes. Labels are the catalogue's; other types have forms of their own."""
    kind = column.type.item_type if isinstance(column.type, pg.ARRAY) else column.type
    return isinstance(kind, Text | pg.JSON | pg.CITEXT)


def _text(column: ColumnElement[Any]) -> sql.Composable:
    return _name(column) if isinstance(column.type, Text) else sql.SQL("{}::text").format(_name(column))


def _readable(column: ColumnElement[Any], bad: Unreadable | None) -> sql.Composable:
    """An expression whose binary form the Arrow reader understands."""
    name = _name(column)
    if isinstance(column, Column) and column.info.get("accepted"):
        return sql.SQL("{}::text").format(name)
    if _is_time(column):
        return sql.SQL("CASE WHEN {} THEN {} END").format(is_carried(name), name)
    if isinstance(column.type, pg.ARRAY):
        # The reader takes one dimension whose subscripts begin at 0 or 1; PostgreSQL has others.
        whole = sql.SQL("CASE WHEN {0} IS NOT NULL THEN ARRAY(SELECT unnest({0})) END").format(name)
        return readable(bad, whole, "text[]")
    if isinstance(column.type, pg.INET):
        return sql.SQL("abbrev({})").format(name)
    if isinstance(column.type, pg.JSON):
        return sql.SQL("{}::text").format(readable(bad, name, "jsonb"))
    if isinstance(column.type, pg.UUID | pg.ENUM | pg.CITEXT):
        return readable(bad, sql.SQL("{}::text").format(name))
    if _is_text(column):
        return readable(bad, name)
    return name


def _odd_times(columns: list[Column[Any]]) -> sql.Composable:
    times = [_name(column) for column in columns if _is_time(column)]
    if not times:
        return sql.SQL("NULL::text")
    fit = sql.SQL(" AND ").join(sql.SQL("{} IS NOT FALSE").format(is_carried(name)) for name in times)
    pairs = sql.SQL(", ").join(
        sql.SQL("{}, CASE WHEN NOT {} THEN {}::text END").format(
            sql.Literal(name.as_string(None).strip('"')), is_carried(name), name
        )
        for name in times
    )
    return sql.SQL("CASE WHEN {} THEN NULL ELSE json_strip_nulls(json_build_object({}))::text END").format(fit, pairs)
