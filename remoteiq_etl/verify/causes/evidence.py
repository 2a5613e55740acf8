"""Gathering what is known of rows that differ: from the map, the state, the target and legacy, for many rows at once.

Belongs here: those questions. Does not belong here: what follows from the answers (see labels).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg import sql
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state import written_columns
from remoteiq_etl.state.maps import map_of, short_key_of
from remoteiq_etl.state.target_access import statement_names
from remoteiq_etl.state.written_columns import NEVER_COMPARED, default_of
from remoteiq_etl.verify.causes.labels import Evidence, Legacy, MapEntry, RowSides, Rules
from remoteiq_etl.verify.causes.row_changes import Row, RowChanges, newer_rows, row_key
from remoteiq_etl.verify.causes.table_changes import TableChanges
from remoteiq_etl.verify.expected.compare import RowDifference, target_key
from remoteiq_etl.verify.expected.expectation import Expectation, expectations
from remoteiq_etl.verify.snapshots import SnapshotPair
from remoteiq_etl.verify.verdicts.model import Label

SQL = statements(__file__)

_REPLACED = "what it belongs to has rows in the target that somebody else made, and is left alone"

#: Differences that are looked into at once.
CHUNK = 20_000


@dataclass(frozen=True)
class EvidenceReader:
    """Looks into the differences of one table, while what its opinion expects lies in pg_temp.expected.

    `columns`: those that were compared; `opinion`: that which finds differences, None where none does.
    """

    pair: SnapshotPair
    known: TableChanges
    spec: TableSpec
    columns: Sequence[str]
    expectation: Expectation | None = None

    @property
    def rules(self) -> Rules:
        """How the table is declared."""
        follows = any(source.follows for source in self.spec.streamed) or self._takes_times_of_others
        return Rules(frozenset(self.spec.activity), frozenset(self.spec.insert_only), follows)

    @property
    def _takes_times_of_others(self) -> bool:
        """Whether a missing updated_at is filled from a row of a table that is no source."""
        own = {source.name for source in self.spec.streamed}
        return any(column.split(".")[0] not in own for column in self.spec.lineage.get("updated_at", ()))

    def gather(self, differences: Sequence[RowDifference]) -> list[tuple[RowDifference, Evidence]]:
        """Each difference, with the legacy row that it is about where that can be found out, and what is known of it."""
        self._stage(differences)
        origins = self._origins()
        named = [
            replace(one, legacy_table=origins[n][0], legacy_key=origins[n][1]) for n, one in enumerate(differences)
        ]
        entries, waits, conflicts = self._entries(), self._waits(), self._conflicts()
        keys = self._row_keys(named)
        legacy, sides = self._legacy(keys), self._sides(named)
        lost = [n for n, entry in entries.items() if entry.state == "live" and not entry.is_there]
        twins = self._twins(lost)
        stale = self._stale([keys.get(n, (one.legacy_table, None)) for n, one in enumerate(named)])
        return [
            (
                one,
                Evidence(
                    entries.get(n),
                    waits.get(n),
                    conflicts.get(n, {}),
                    legacy.get(n),
                    sides.get(n, RowSides()),
                    twins.get(n),
                    stale[n],
                ),
            )
            for n, one in enumerate(named)
        ]

    # --- what is staged -----------------------------------------------------------------------------------------

    def _stage(self, differences: Sequence[RowDifference]) -> None:
        session = self.pair.session
        session.execute("DROP TABLE IF EXISTS pg_temp.differences")
        session.execute(
            "CREATE TEMP TABLE differences (n int PRIMARY KEY, kind text, key text, legacy_table text, legacy_key text)"
        )
        rows = [(n, one.kind, one.key, one.legacy_table, one.legacy_key) for n, one in enumerate(differences)]
        with session.connection.cursor().copy("COPY pg_temp.differences FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        session.execute("ANALYZE pg_temp.differences")

    def _origins(self) -> dict[int, tuple[str | None, str | None]]:
        self.pair.session.execute(SQL["origins"].format(**self._names))
        query = "SELECT n, legacy_table, legacy_key FROM pg_temp.differences"
        return {row[0]: (row[1], row[2]) for row in self.pair.session.rows(query)}

    @property
    def _names(self) -> dict[str, sql.Composable]:
        return {
            **statement_names(self.pair, self.spec),
            "new_type": _type(self._map.columns["new_key"]),
            "legacy_type": _type(self._map.columns["legacy_key"]),
            "listed_key": short_key_of(sql.SQL("d.legacy_key")),
            "completed_run": sql.Literal(self.known.completed_run),
        }

    @property
    def _map(self) -> Table:
        return map_of(self.spec)

    # --- what is known ------------------------------------------------------------------------------------------

    def _rows(self, name: str) -> list[tuple[Any, ...]]:
        statement = SQL[name].format(**self._names)
        return self.pair.session.rows(statement, {})

    def _entries(self) -> dict[int, MapEntry]:
        found = {}
        for n, legacy_table, last_run, *known in self._rows("entries"):
            is_unfinished = last_run > self.known.completed_with(legacy_table)
            found[n] = replace(MapEntry(*known), unfinished=is_unfinished)
        return found

    def _waits(self) -> dict[int, tuple[Label, str]]:
        """What the state says of each row: what is open before what is settled."""
        order = list(Label)
        rows = [(n, Label(label), detail) for n, label, detail in self._rows("waits")]
        rows += [(n, Label.EXPECTED, _REPLACED) for n in self._replaced()]
        rows.sort(key=lambda row: order.index(row[1]), reverse=True)
        return {n: (label, detail) for n, label, detail in rows}

    def _replaced(self) -> list[int]:
        """The rows in whose place somebody else's stand."""
        if self.spec.unmanaged_by is None or self.expectation is None:
            return []
        statement = SQL["replaced"].format(**self._names, owner=sql.Identifier(self.spec.unmanaged_by))
        return [row[0] for row in self.pair.session.rows(statement)]

    def _conflicts(self) -> dict[int, dict[str, str]]:
        found: dict[int, dict[str, str]] = {}
        for n, columns, reason in self._rows("conflicts"):
            found.setdefault(n, {}).update(dict.fromkeys(columns, reason))
        return found

    def _row_keys(self, named: Sequence[RowDifference]) -> dict[int, tuple[str, str]]:
        """Legacy table and key of the rows, of those differences that are about one."""
        return {
            n: (one.legacy_table, row_key(self.known, one.legacy_table, one.legacy_key))
            for n, one in enumerate(named)
            if one.legacy_table and one.legacy_key
        }

    def _legacy(self, keys: Mapping[int, tuple[str, str]]) -> dict[int, Legacy]:
        """The legacy rows as they are now, of those differences that have one."""
        found: dict[int, Legacy] = {}
        for table in sorted({table for table, _ in keys.values()}):
            newer = newer_rows(self.known, table, {key for name, key in keys.values() if name == table})
            if newer is not None:
                found |= {
                    n: Legacy(key in newer, newer.get(key, False)) for n, (name, key) in keys.items() if name == table
                }
        return found

    def _stale(self, rows: Sequence[Row]) -> list[str | None]:
        """Why each of these rows may differ by now, besides that its own legacy row was written."""
        if self.expectation is None or not rows:
            return [None] * len(rows)
        return RowChanges(self.known, self.expectation).reasons(rows)

    # --- what was written ---------------------------------------------------------------------------------------

    def _sides(self, named: Sequence[RowDifference]) -> dict[int, RowSides]:
        tables = {one.legacy_table for one in named if one.kind == "changed" and one.legacy_table}
        return {n: one for table in sorted(tables) for n, one in self._sides_of(table).items()}

    def _sides_of(self, legacy_table: str) -> dict[int, RowSides]:
        columns = [self.spec.target.columns[name] for name in self.columns if name in self.spec.target.columns]
        hashed = written_columns.written_columns(self.pair, self.spec, legacy_table) or []
        expectation = {one.name: sql.Identifier("e", one.name) for one in columns if type(one.type) is not pg.JSON}
        names = {
            **self._names,
            "legacy_table": sql.Literal(legacy_table),
            "origin": _same_key(self.spec),
            "edited": _cases(columns, lambda one: self._differs(one, "t")),
            "wanted": _cases(columns, lambda one: self._differs(one, "e")),
            "later": _cases([one for one in columns if self._is_ordered(one)], _is_later),
            "unrecorded": _cases([one for one in columns if one.name in hashed], _is_unrecorded),
            "foreign": _cases([one for one in columns if self._is_foreign(one, hashed)], _is_empty),
            "current_hash": written_columns.current_hash(self.pair, self.spec, legacy_table),
            "given": sql.Literal(written_columns.GIVEN),
            "expectation_hash": written_columns.current_hash(self.pair, self.spec, legacy_table, instead=expectation),
        }
        rows = self.pair.session.rows(SQL["sides"].format(**names), {})
        return {row[0]: _sides_of_row(*row[1:]) for row in rows}

    def edits(self, only: Mapping[str, Collection[str]] | None = None) -> Iterator[tuple[str, str, str, list[str]]]:
        """Rows of ours that are not as last written: legacy table and key, new key, columns.

        Of a log, which nobody edits, that is asked only where an opinion leaves columns as they are; it is one of those.
        `only`: by legacy table, the keys to look at; None: all.
        """
        left = sorted({name for one in expectations() if one.target == self.spec.name for name in one.taken})
        if self.spec.log_like and not left:
            return
        columns = [self.spec.target.columns[name] for name in self.columns if name in self.spec.target.columns]
        for legacy_table in sorted({source.name for source in self.spec.sources}):
            statement = SQL["edits"].format(
                **self._names,
                legacy_table=sql.Literal(legacy_table),
                edited=_cases([] if self.spec.log_like else columns, lambda one: self._differs(one, "t")),
                only=_one_of(None if only is None else only.get(legacy_table)),
                current_hash=written_columns.current_hash(self.pair, self.spec, legacy_table),
            )
            for new_key, legacy_key, edited in self.pair.session.rows(statement, {}):
                yield legacy_table, legacy_key, new_key, left if self.spec.log_like else edited

    def _differs(self, column: Column[Any], side: str) -> sql.Composable:
        """Whether a side is not as last written, in the form in which that is recorded."""
        value = sql.Identifier(side, column.name)
        return sql.SQL("m.last_written ? {} AND {}").format(
            sql.Literal(column.name),
            written_columns.differs_from_written(column, value, self.pair.state.schema),
        )

    def _is_ordered(self, column: Column[Any]) -> bool:
        return isinstance(column.type, pg.TIMESTAMP) or column.name in self.spec.activity[:1]

    def _is_foreign(self, column: Column[Any], hashed: Sequence[str]) -> bool:
        """Whether we never write a column."""
        managed = {*hashed, *self.spec.primary_key, *self.spec.insert_only, *self.spec.activity, *NEVER_COMPARED}
        return bool(hashed) and column.name not in managed

    def _twins(self, lost: Sequence[int]) -> dict[int, str]:
        """Target rows that hold what a lost row should hold, under another key. A key that says everything has no twin."""
        keys = list(self.spec.primary_key)
        others = [name for name in self.columns if name not in keys]
        if not lost or not others or len(keys) > 1:
            return {}
        statement = SQL["twins"].format(
            **self._names,
            twin_key=target_key(keys, "t"),
            expected_key=target_key(keys, "e"),
            target_columns=_cast(others, "t", self.pair.live[self.spec.name]),
            expected_columns=_cast(others, "e", self.pair.live[self.spec.name]),
        )
        return dict(self.pair.session.rows(statement, {"lost": list(lost)}))


def _one_of(keys: Collection[str] | None) -> sql.Composable:
    if keys is None:
        return sql.SQL("true")
    return sql.SQL("m.legacy_key::text = ANY ({}::text[])").format(sql.Literal(sorted(keys)))


def _cases(columns: Sequence[Column[Any]], condition: Any) -> sql.Composable:
    """The names of those columns of which the condition is true, as items of an array."""
    items = [
        sql.SQL("CASE WHEN {} THEN {} END").format(condition(column), sql.Literal(column.name)) for column in columns
    ]
    return sql.SQL(", ").join(items)


def _is_later(column: Column[Any]) -> sql.Composable:
    name = sql.Identifier(column.name)
    return sql.SQL("t.{0} > e.{0} OR t.{0} IS NOT NULL AND e.{0} IS NULL").format(name)


def _is_empty(column: Column[Any]) -> sql.Composable:
    """Whether the opinion expects nothing but what every row has by default."""
    name, default = sql.Identifier("e", column.name), default_of(column, of_any=True)
    if default is None:
        return sql.SQL("{} IS NULL").format(name)
    return sql.SQL("{0} IS NULL OR {0}::text = ({1})::text").format(name, default)


def _is_unrecorded(column: Column[Any]) -> sql.Composable:
    return sql.SQL("coalesce(NOT m.last_written ? {}, true)").format(sql.Literal(column.name))


def _same_key(spec: TableSpec) -> sql.Composable:
    return sql.SQL(" AND ").join(sql.SQL("e.{0} = t.{0}").format(sql.Identifier(name)) for name in spec.primary_key)


def _cast(names: Sequence[str], row: str, live: Mapping[str, Any]) -> sql.Composable:
    """Columns in a form that both sides share: the target's labels are text in the opinion."""
    plain = {name: sql.Identifier(row, name) for name in names}
    items = [sql.SQL("{}::jsonb").format(one) if live[name].kind == "json" else one for name, one in plain.items()]
    return sql.SQL(", ").join(items)


def _sides_of_row(
    edited: list[str],
    wanted: list[str],
    later: list[str],
    unrecorded: list[str],
    foreign: list[str],
    as_written: bool | None,
    expectation_as_written: bool | None,
    expectation_as_given: bool | None,
) -> RowSides:
    names = (frozenset(edited), frozenset(wanted), frozenset(later), frozenset(unrecorded), frozenset(foreign))
    return RowSides(
        *names,
        as_written=as_written,
        expectation_as_written=expectation_as_written,
        expectation_as_given=expectation_as_given,
    )


def _type(column: Column[Any]) -> sql.SQL:
    return sql.SQL(str(column.type).lower())
