"""Foreign keys, uniques, not-nulls and sequences: what a server enforces is believed, the rest is looked at row by row.

Belongs here: finding rows that violate a constraint of the redesign. Does not belong here: making constraints (see
finalize), and why a row violates one (see table).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql
from sqlalchemy import ForeignKeyConstraint, PrimaryKeyConstraint, Table, UniqueConstraint

from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.verify.expected.compare import target_key
from remoteiq_etl.verify.snapshots import SnapshotPair
from remoteiq_etl.verify.verdicts.model import Finding, FindingKind, Label
from schemas import ddl
from schemas.state.maps import map_name

SQL = statements(__file__)

CONSTRAINTS = "constraints"
"""The check of foreign keys, uniques and not-nulls."""
ABOUT_CONSTRAINTS = "every foreign key leads to a row, what must be unique is, and what must not be null is not"
SEQUENCES = "sequences"
ABOUT_SEQUENCES = "no sequence would give a number that its column has already"
#: Rows of one constraint that are named at the most.
MOST = 1_000


@dataclass(frozen=True)
class Violation:
    """One row that violates a constraint: which, and in which columns.

    `parent_deleted`: it refers to a row of ours that somebody has deleted in the target.
    """

    key: str
    columns: tuple[str, ...]
    detail: str
    parent_deleted: bool = False


@dataclass(frozen=True)
class LateSequence:
    """A sequence that is behind its column."""

    table: str
    column: str
    name: str


@dataclass(frozen=True)
class Constraints:
    """The constraints of one target table. `looked_at`: how many there are; `enforced`: those that the server vouches for."""

    pair: SnapshotPair
    table: Table

    @property
    def looked_at(self) -> int:
        """How many constraints the table has."""
        return len(self._uniques()) + len(ddl.foreign_keys_of(self.table)) + len(self._not_null())

    def breaches(self) -> Iterator[Violation]:
        """The rows that violate one that the server does not enforce."""
        there = self._enforced()
        for columns in self._uniques():
            if ("unique", _sorted(columns)) not in there:
                yield from self._duplicates(columns)
        for key in ddl.foreign_keys_of(self.table):
            if ("foreign key", _sorted(key.column_keys)) not in there:
                yield from self._orphans(key)
        for column in self._not_null():
            if ("not null", (column,)) not in there:
                yield from self._nulls(column)

    def _enforced(self) -> set[tuple[str, tuple[str, ...]]]:
        places = {"schema": self.pair.target.schema, "table": self.table.name}
        rows = self.pair.session.rows(SQL["constraints_there"], places)
        return {(kind, tuple(columns)) for kind, columns in rows if kind}

    def _uniques(self) -> list[list[str]]:
        kinds = (UniqueConstraint, PrimaryKeyConstraint)
        return [[column.name for column in one.columns] for one in self.table.constraints if isinstance(one, kinds)]

    def _not_null(self) -> list[str]:
        return [column.name for column in self.table.columns if not column.nullable]

    def _duplicates(self, columns: Sequence[str]) -> Iterator[Violation]:
        names = {"columns": _listed(columns), "is_set": _all_set(columns)}
        detail = f"another row has the same {', '.join(columns)}"
        return self._found("duplicates", names, columns, detail)

    def _orphans(self, key: ForeignKeyConstraint) -> Iterator[Violation]:
        pairs = [(element.parent.name, element.column.name) for element in key.elements]
        parent, columns = key.referred_table.name, [name for name, _ in pairs]
        same = [sql.SQL("p.{} = t.{}").format(sql.Identifier(theirs), sql.Identifier(own)) for own, theirs in pairs]
        names = {
            "parent": self.pair.target.table(parent),
            "same": sql.SQL(" AND ").join(same),
            "is_set": _all_set(columns),
            "parent_deleted": self._parent_deleted(parent, columns),
        }
        return self._found("orphans", names, columns, f"{', '.join(columns)} leads to no row of {parent}")

    def _parent_deleted(self, parent: str, columns: Sequence[str]) -> sql.Composable:
        """Whether the row that is not there was one of ours that nobody of us took away."""
        if len(columns) != 1 or not self.pair.state.has_map(self.pair.session, parent):
            return sql.SQL("false")
        names = {"map": self.pair.state.name(map_name(parent)), "column": sql.Identifier(columns[0])}
        return SQL["parent_deleted"].format(**names)

    def _nulls(self, column: str) -> Iterator[Violation]:
        return self._found("nulls", {"column": sql.Identifier("t", column)}, [column], f"{column} has no value")

    def _found(
        self, name: str, names: Mapping[str, sql.Composable], columns: Sequence[str], detail: str
    ) -> Iterator[Violation]:
        statement = SQL[name].format(
            **names,
            target=self.pair.target.table(self.table.name),
            key=target_key([column.name for column in self.table.primary_key.columns], "t"),
            most=sql.Literal(MOST),
        )
        rows = self.pair.session.rows(statement)
        return (Violation(key, tuple(columns), detail, parent_deleted) for key, parent_deleted in rows)


def sequences(session: Session, schema: str, table: str | None = None) -> tuple[int, list[LateSequence]]:
    """How many sequences of a schema (of a table) belong to a column, and those that are behind it."""
    found = session.rows(SQL["sequences"], {"schema": sql.Identifier(schema).as_string(None), "table": table})
    late = []
    for owner, column, sequence_schema, name, last in found:
        query = sql.SQL("SELECT max({}) > coalesce(%s, 0) FROM {}")
        names = sql.Identifier(column), sql.Identifier(schema, owner)
        if session.value(query.format(*names), [last]):
            late.append(LateSequence(owner, column, f"{sequence_schema}.{name}"))
    return len(found), late


def of_sequence(late: LateSequence, label: Label, detail: str) -> Finding:
    """A sequence that is behind, as a difference."""
    text = f"the sequence {late.name} is behind its column: {detail}"
    return Finding(late.table, SEQUENCES, FindingKind.BROKEN, label, text, columns=(late.column,))


def _sorted(columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(columns))


def _listed(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _all_set(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(sql.Identifier(name)) for name in columns)
