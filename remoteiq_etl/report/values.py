"""The legacy words of the report: as a matrix against the labels of an enum, or as the formats that a parser met.

Belongs here: which word became which label. Does not belong here: what a word means (remoteiq_etl.backfill.values).
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import pandas as pd
from psycopg import sql
from sqlalchemy import Column
from sqlalchemy.dialects.postgresql import ENUM

from remoteiq_etl.backfill.batch import NULL_WORD
from remoteiq_etl.backfill.frames import TEXT
from remoteiq_etl.backfill.spec import TableSpec
from remoteiq_etl.backfill.values import ValueMap
from remoteiq_etl.report.model import Formats, Matrix, Word
from remoteiq_etl.report.reading import Reader
from remoteiq_etl.verify.result import TableVerdict
from schemas import target

#: Words that are listed of one column; more belong to no enum, and name no row.
SHOWN = 60
#: Stands for a label where the value map alone does not tell one: the row is quarantined, or its rule looks further.
UNTOLD = "not in the map"


class _Met(NamedTuple):
    name: str
    word: str
    rows: int
    first_run: int
    last_run: int


def matrices_and_formats(
    reader: Reader,
    specs: Iterable[TableSpec],
    words: Mapping[str, Mapping[str, str]],
    verdicts: Iterable[TableVerdict],
    tables: Iterable[str],
) -> tuple[list[Matrix], list[Formats]]:
    """The words of enum columns against their labels, and those of all other columns that are read by a map or parser.

    `words`: what an operator added to the maps; `tables`: those that the target has.
    """
    maps = {one.name: one.extended(words.get(one.name, {})) for spec in specs for one in spec.value_maps}
    measured = {f"{one.table}.{column}": matrix for one in verdicts for column, matrix in one.matrices.items()}
    present, matrices, formats = set(tables), [], []
    for name, found in groupby((_Met(*row) for row in reader.ask("words")), key=attrgetter("name")):
        met, column = list(found), _column(name)
        if column is not None and isinstance(column.type, ENUM) and column.table.name in present:
            told = [_word(one, maps.get(name), measured.get(name)) for one in met]
            held = _in_target(reader, column)
            matrices.append(_matrix(name, column.type.enums, told, held, measured=name in measured))
        else:
            listed = [_word(one, maps.get(name), None) for one in met[:SHOWN]]
            formats.append(Formats(name, listed, len(met) - len(listed)))
    return matrices, formats


def _matrix(
    name: str, order: Sequence[str], words: Sequence[Word], in_target: Mapping[str, int], *, measured: bool
) -> Matrix:
    """`order`: the labels of the type, in its own order; those that nothing has are left out."""
    used = {label for word in words for label in word.labels} | in_target.keys()
    labels = [label for label in order if label in used]
    return Matrix(name, [*labels, *sorted(used - set(labels))], words, in_target, measured)


def _word(met: _Met, value_map: ValueMap | None, measured: Mapping[str, Mapping[str, int]] | None) -> Word:
    return Word(met.word, met.rows, met.first_run, met.last_run, _labels(met.word, met.rows, value_map, measured))


def _labels(
    word: str, rows: int, value_map: ValueMap | None, measured: Mapping[str, Mapping[str, int]] | None
) -> Mapping[str, int | None]:
    """Rows per label: as the verification counted them, else all rows under what the map makes of the word."""
    if measured is not None:
        return measured.get(word, {})
    if value_map is None:
        return {}
    label = value_map.apply(pd.Series([None if word == NULL_WORD else word], dtype=TEXT)).iloc[0]
    return {label if isinstance(label, str) else UNTOLD: rows}


def _column(name: str) -> Column[Any] | None:
    """The target column that a value map is named after, where it is."""
    table, _, column = name.partition(".")
    found = target.metadata.tables.get(f"{target.metadata.schema}.{table}")
    return found.columns.get(column) if found is not None else None


def _in_target(reader: Reader, column: Column[Any]) -> dict[str, int]:
    """Rows of the target per label, NULL left out."""
    name = sql.Identifier(column.name)
    query = sql.SQL("SELECT {0}::text, count(*) FROM {1} WHERE {0} IS NOT NULL GROUP BY 1").format(
        name, reader.target(column.table.name)
    )
    return dict(reader.session.rows(query))
