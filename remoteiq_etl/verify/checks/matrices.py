"""Which legacy word became which label, counted row by row: the distributions of enum columns.

Counted is what an opinion expects, because that it is what the target holds is compared anyway. Belongs here: which columns
have words, and counting them. Does not belong here: what a word means.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql
from sqlalchemy import Column, String, Table
from sqlalchemy.dialects.postgresql import ENUM

from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.verify.expected.expectation import Expectation
from remoteiq_etl.verify.expected.legacy_copy import copy_type, legacy_table
from remoteiq_etl.verify.snapshots import SnapshotPair

SQL = statements(__file__)

#: Pairs of word and label that are kept of one column; more belong to no enum.
MOST_PAIRS = 2_000
#: Stands for a legacy null, as in the table `words` of the state schema.
NULL_WORD = "∅"
#: Stands for the label where an opinion has none.
NO_LABEL = "no label"


@dataclass
class Matrices:
    """Rows per legacy word and label, by target column."""

    counts: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)

    def add(self, pair: SnapshotPair, spec: TableSpec, expectation: Expectation, columns: Collection[str]) -> None:
        """Count the rows that an opinion was just asked about (see compare.ask); `columns`: those that it says."""
        for table in sorted({source.name for source in spec.streamed}):
            said = {label: word for label, word in words(spec, table).items() if label in columns}
            pairs = {label: word for label, word in said.items() if _at_hand(expectation, table, word)}
            if pairs:
                query = SQL["matrix"].format(**_parts(legacy_table(table), pairs), **_places(pair, spec.name))
                for column, word, label, rows in pair.session.rows(query):
                    self.counts.setdefault(column, Counter())[word, label] += rows

    def plain(self) -> dict[str, dict[str, dict[str, int]]]:
        """By column, word and label; of a column of free text only the most frequent pairs."""
        found: dict[str, dict[str, dict[str, int]]] = {}
        for column, counts in self.counts.items():
            for (word, label), rows in sorted(counts.most_common(MOST_PAIRS)):
                found.setdefault(column, {}).setdefault(word, {})[label] = rows
        return found


def words(spec: TableSpec, table: str) -> dict[str, str]:
    """The columns of a legacy table whose words become labels, by the enum column of the target."""
    source = legacy_table(table)
    labels = [column.name for column in spec.target.columns if isinstance(column.type, ENUM)]
    return {label: word for label in labels for word in [*_texts(spec, label, source)][:1]}


def _texts(spec: TableSpec, label: str, table: Table) -> Iterator[str]:
    """Columns of words that the column comes from, the one of its name first."""
    places = [f"{table.name}.{label}", *spec.lineage.get(label, ())]
    names = [place.partition(".")[2] for place in places if place.startswith(f"{table.name}.")]
    yield from (name for name in names if name in table.columns and _is_text(table.columns[name]))


def _is_text(column: Column[Any]) -> bool:
    return isinstance(column.type, String | ENUM)


def _at_hand(expectation: Expectation, table: str, column: str) -> bool:
    """Whether the copy of the table that the opinion has asked for holds its key and the column."""
    if len(legacy_table(table).primary_key.columns) != 1:
        return False  # no table with words has another key
    columns = expectation.reads.get(table)
    return expectation.rows == table or columns == () or (columns is not None and column in columns)


def _parts(table: Table, pairs: Mapping[str, str]) -> dict[str, sql.Composable]:
    """One pass over the rows, whatever the number of columns."""
    (key,) = table.primary_key.columns
    numbered = [(sql.SQL(str(n)), label, word) for n, (label, word) in enumerate(pairs.items())]

    def listed(template: str) -> sql.Composed:
        items = [
            sql.SQL(template).format(
                n=n, name=sql.Literal(label), word=sql.Identifier("l", word), label=sql.Identifier("e", label)
            )
            for n, label, word in numbered
        ]
        return sql.SQL(", ").join(items)

    return {
        "null_word": sql.Literal(NULL_WORD),
        "no_label": sql.Literal(NO_LABEL),
        "legacy": sql.Identifier(f"legacy_{table.name}"),
        "legacy_table": sql.Literal(table.name),
        "key": sql.Identifier(key.name),
        "key_type": sql.SQL(copy_type(key)),
        "words": listed("{word} AS w{n}"),
        "labels": listed("{label} AS l{n}"),
        "groups": listed("{word}, {label}"),
        "pairs": listed("({name}, c.w{n}, c.l{n}::text)"),
    }


def _places(pair: SnapshotPair, table: str) -> dict[str, sql.Composable]:
    return {**pair.literals(table), "quarantine": pair.state.name("quarantine"), "held": pair.state.name("held")}
