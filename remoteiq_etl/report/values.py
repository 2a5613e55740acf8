"""The legacy words of the report: as a matrix against the labels of an enum, or as the formats that a parser met.

Belongs here: which word became which label. Does not belong here: what a word means (remoteiq_etl.spec.value_map).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import pandas as pd
from psycopg import sql
from sqlalchemy import Column
from sqlalchemy.dialects.postgresql import ENUM

from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.report.model import Formats, Matrix, SourceValue
from remoteiq_etl.report.reading import Reader
from remoteiq_etl.spec.batch import NULL_WORD
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.spec.value_map import ValueMap
from remoteiq_etl.verify.verdicts.model import TableVerdict
from schemas import target

SQL = statements(__file__)

#: Words that are listed of one column; more belong to no enum, and name no row.
SHOWN = 60
#: Stands for a label where the value map alone does not tell one: the row is quarantined, or its rule looks further.
UNTOLD = "not in the map"


Counts = Mapping[str, Mapping[str, int]]
"""Rows per word and label."""
Maps = Mapping[str, ValueMap]


class Met(NamedTuple):
    """A word of one column, as the runs met it."""

    name: str
    word: str
    rows: int
    first_run: int
    last_run: int


def matrices(
    reader: Reader,
    maps: Maps,
    measured: Mapping[str, Counts],
    met: Mapping[str, Sequence[Met]],
    tables: Collection[str],
) -> list[Matrix]:
    """The words of each enum column against their labels. `measured`: by column, as verifications counted them.

    `tables`: those that the target has.
    """
    found = []
    for name in sorted(met.keys() | measured.keys()):
        column = _column(name)
        if column is not None and isinstance(column.type, ENUM) and column.table.name in tables:
            words = folded(_words(met.get(name, ()), maps.get(name), measured.get(name)))
            found.append(_matrix(name, column.type.enums, words, _in_target(reader, column), name in measured))
    return found


def formats(maps: Maps, met: Mapping[str, Sequence[Met]], told: Collection[str]) -> list[Formats]:
    """The words or formats of all other columns; `told`: those that have a matrix."""
    return [
        Formats(name, _words(words[:SHOWN], maps.get(name), None), max(len(words) - SHOWN, 0))
        for name, words in met.items()
        if name not in told
    ]


def met(reader: Reader) -> dict[str, list[Met]]:
    """What the runs met, by value map or parser, the most frequent first."""
    rows = [Met(*row) for row in reader.ask(SQL["words"])]
    return {name: list(found) for name, found in groupby(rows, key=attrgetter("name"))}


def maps(specs: Iterable[TableSpec], words: Mapping[str, Mapping[str, str]]) -> dict[str, ValueMap]:
    """The value maps by name, with what an operator added to them."""
    return {one.name: one.extended(words.get(one.name, {})) for spec in specs for one in spec.value_maps}


def measured(verdicts: Iterable[TableVerdict]) -> dict[str, Counts]:
    """Rows per word and label, by column (table.column), of the tables that were verified."""
    return {f"{one.table}.{column}": counts for one in verdicts for column, counts in one.matrices.items()}


def _matrix(
    name: str, order: Sequence[str], words: Sequence[SourceValue], in_target: Mapping[str, int], measured: bool
) -> Matrix:
    """`order`: the labels of the type, in its own order; those that nothing has are left out."""
    used = {label for word in words for label in word.labels} | in_target.keys()
    labels = [label for label in order if label in used]
    return Matrix(name, [*labels, *sorted(used - set(labels))], words, in_target, measured)


def _words(met: Iterable[Met], value_map: ValueMap | None, counts: Counts | None) -> list[SourceValue]:
    """Each word with its labels: rows as they were counted, else all reads under what the map makes of the word."""
    known = {one.word: one for one in met}
    if counts is None:
        return [
            SourceValue(one.word, one.rows, one.first_run, one.last_run, _by_map(one, value_map))
            for one in known.values()
        ]
    rows = {word: sum(labels.values()) for word, labels in counts.items()}
    ordered = sorted(rows, key=lambda word: (-rows[word], word))
    return [_counted(word, rows[word], known.get(word), counts[word]) for word in ordered]


def folded(words: Sequence[SourceValue], most: int = SHOWN) -> list[SourceValue]:
    """The most frequent words, and all others as one."""
    shown, rest = list(words[:most]), words[most:]
    if not rest:
        return shown
    labels: Counter[str] = Counter()
    for word in rest:
        labels.update(word.labels)
    return [*shown, SourceValue(f"{len(rest):,} other words", sum(word.rows for word in rest), None, None, labels)]


def _counted(word: str, rows: int, met: Met | None, labels: Mapping[str, int]) -> SourceValue:
    return SourceValue(word, rows, met.first_run if met else None, met.last_run if met else None, labels)


def _by_map(met: Met, value_map: ValueMap | None) -> dict[str, int]:
    if value_map is None:
        return {}
    label = value_map.apply(pd.Series([None if met.word == NULL_WORD else met.word], dtype=TEXT)).iloc[0]
    return {label if isinstance(label, str) else UNTOLD: met.rows}


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
