"""What the new application has written since the cut-over: how much of each table, which rows, and a file that keeps them.

Belongs here: that, of every table of the target's schema. Does not belong here: what follows from it (see back).
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg import sql

from remoteiq_etl.backfill.source.ages import is_newer
from remoteiq_etl.errors import CutOverError
from remoteiq_etl.lifecycle.cutover.watch import Marks, TableWrites, count_rows, tables_of, written_since
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.sensitive.redaction import REDACTED
from remoteiq_etl.state.schema import State
from schemas import target

SQL = statements(__file__)


@dataclass(frozen=True)
class WrittenRow:
    """One row that is new or changed: its key, and its values without secrets."""

    table: str
    key: str
    row: Mapping[str, Any]


def writes(session: Session, marks: Marks | None) -> list[TableWrites]:
    """The tables that were written since. Where a kill left no count of rows, deletes alone go unnoticed.

    Raises CutOverError when no marks were taken.
    """
    if marks is None:
        raise CutOverError("nobody knows what the target held at the switch, so what was written since cannot be told.")
    rows = marks["rows"] or count_rows(session, tables_of(session), marks["horizon"])
    return list(written_since(session, {**marks, "rows": rows}))


def written_rows(session: Session, state: State, marks: Marks, tables: Sequence[TableWrites]) -> Iterator[WrittenRow]:
    """The rows of these tables that are new or changed, table by table. Rows that were deleted are gone."""
    for one in tables:
        if one.newer:
            yield from rows_of(session, state, one.table, marks["horizon"])


def rows_of(session: Session, state: State, table: str, horizon: int) -> Iterator[WrittenRow]:
    """The rows of one table that are newer than a horizon."""
    place = session.database.table(table)
    key = [row[0] for row in session.rows(SQL["primary_key"].format(), {"table": place.as_string(None)})]
    shown = sql.SQL("concat_ws(', ', {})").format(sql.SQL(", ").join(sql.Identifier("l", name) for name in key))
    statement = SQL["newer_rows"].format(
        key=shown if key else sql.SQL("'(a row without a key)'"),
        redacted=state.names["redacted"],
        table=place,
        newer=is_newer(sql.SQL("l.xmin"), horizon),
    )
    secret = _secret_columns(table)
    for text, row in session.rows(statement):
        yield WrittenRow(table, text, {name: REDACTED if name in secret else value for name, value in row.items()})


def _secret_columns(table: str) -> frozenset[str]:
    declared = target.metadata.tables.get(f"target.{table}")
    columns = () if declared is None else declared.columns
    return frozenset(column.name for column in columns if column.info.get("secret"))


def keep(rows: Iterator[WrittenRow], directory: Path, number: int) -> Path:
    """Write the rows to a new file that nobody else may read, one JSON object on each line; returns its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"written-since-cutover-{number}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.jsonl"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        for one in rows:
            file.write(json.dumps({"table": one.table, "key": one.key, "row": one.row}, ensure_ascii=False) + "\n")
    return path
