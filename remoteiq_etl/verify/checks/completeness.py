"""Keys both ways, and every legacy cell: each legacy row is accounted for as it is now, and each key of the map is there.

A row's keyed hash covers all of its columns, archived ones included, so that no cell can change unseen. Belongs here: that
comparison of legacy, map and state. Does not belong here: what the target's columns hold (see compare).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from psycopg import sql
from psycopg.rows import TupleRow

from remoteiq_etl.backfill.source.selection import is_one_of
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.state.maps import map_of, short_key_of
from remoteiq_etl.state.target_access import statement_names
from remoteiq_etl.verify.causes.labels import UNFINISHED, WRITTEN
from remoteiq_etl.verify.causes.table_changes import TableChanges
from remoteiq_etl.verify.expected.compare import target_key
from remoteiq_etl.verify.expected.legacy_copy import copy_type
from remoteiq_etl.verify.verdicts.model import Finding, FindingKind, Label

SQL = statements(__file__)

KEYS = "keys"
"""The check that every legacy row is accounted for, and every key of the map is there."""
ABOUT_KEYS = "every legacy row, each of its cells included, is accounted for as it is, and every mapped row is there"


@dataclass
class Completeness:
    """The keys of one legacy table that a target table accounts for.

    `rows` of them were looked at, and `mapped` of those the map leads somewhere. `begun`: they come with an opinion's ranges.
    """

    known: TableChanges
    spec: TableSpec
    source: Source
    rows: int = field(default=0, init=False)
    mapped: int = field(default=0, init=False)
    begun: bool = field(default=False, init=False)
    _age: int = field(init=False)

    def __post_init__(self) -> None:
        self._age = self.known.age(self.source.name)

    def of_copy(self) -> Iterator[Finding]:
        """The rows of the copy at hand (all, or one range of them) that are not accounted for as they are."""
        rows = self._rows("accounts")
        count = int(self.known.pair.session.value(sql.SQL("SELECT count(*) FROM {}").format(self._copy)))
        self.rows += count
        for key, new_key, is_known, is_newer, is_unfinished, in_conflict, unmapped in rows:
            if unmapped is not None:
                self.mapped += count - int(unmapped)
                continue
            moved = WRITTEN if is_newer else UNFINISHED if is_unfinished else None
            label, detail = self._judged(moved, is_known=is_known, in_conflict=in_conflict)
            kind = FindingKind.ALTERED if is_known else FindingKind.UNACCOUNTED
            yield self._finding(kind, label, detail, key, new_key)

    def rest(self, keys: Collection[str] | None = None) -> Iterator[Finding]:
        """Once every row was looked at: keys of the map whose legacy row is not there. `keys`: of these alone."""
        if keys is None:
            entries = int(self.known.pair.session.value(self._statement("map_entries")))
            if entries == self.mapped:
                return
            self.known.pair.legacy_copy.whole(self.source.name, self.source.key_columns)
        for key, new_key, outcome, outlived, is_unfinished in self._rows(
            "dangling", is_gone=self._is_deleted_at_source(keys)
        ):
            if outcome is not None:
                yield self._finding(FindingKind.DANGLING, Label.EXPECTED, f"gone from legacy: {outcome}", key, new_key)
            else:
                label, detail = self._deleted_since(outlived=outlived, is_unfinished=is_unfinished)
                yield self._finding(FindingKind.DANGLING, label, detail, key, new_key)

    def _judged(self, moved: str | None, *, is_known: bool, in_conflict: bool) -> tuple[Label, str]:
        """That a row is accounted for depends on no other row: what was not written since was read as it is."""
        if moved:
            return Label.CHANGED_IN_LEGACY, moved
        if in_conflict:
            return Label.EDITED_IN_TARGET, "listed as a conflict"
        if reason := self.known.changed_program:
            return Label.CHANGED_IN_LEGACY, reason
        if is_known:
            return Label.BUG, "the legacy row is not as it was read, and was not written since"
        return Label.BUG, "the legacy row is neither mapped nor left out, quarantined or held"

    def _deleted_since(self, *, outlived: bool, is_unfinished: bool) -> tuple[Label, str]:
        """A run does not look for deleted rows by itself: one may have gone before the last run, and after that which wrote it."""
        if outlived:
            return Label.CHANGED_IN_LEGACY, "the legacy row is not there, and no pass over deleted rows has said so yet"
        if is_unfinished:
            return Label.CHANGED_IN_LEGACY, f"the legacy row is not there; {UNFINISHED}"
        if reason := self.known.changed_program or self.known.changed_table([self.source.name]):
            return Label.CHANGED_IN_LEGACY, f"the legacy row is not there; {reason}"
        return (
            Label.BUG,
            "the legacy row is not there, and no row of its table has gone since the table was last completed",
        )

    def _finding(self, kind: FindingKind, label: Label, detail: str, key: str, new_key: str | None) -> Finding:
        return Finding(self.spec.name, KEYS, kind, label, detail, new_key, self.source.name, key)

    # --- statements ---------------------------------------------------------------------------------------------

    def _is_deleted_at_source(self, keys: Collection[str] | None) -> sql.Composable:
        if keys is None:
            there = sql.SQL("NOT EXISTS (SELECT FROM {} AS l WHERE m.legacy_key = {})")
            return there.format(self._copy, self._map_key())
        gone = {*keys} - self._there(keys)
        return sql.SQL("m.legacy_key::text = ANY ({}::text[])").format(sql.Literal(sorted(gone)))

    def _there(self, keys: Collection[str]) -> set[str]:
        """Those of these keys that legacy has."""
        pair = self.known.pair
        query = sql.SQL("SELECT {} FROM {} AS l WHERE {}").format(
            target_key(list(self.source.key_columns), "l"),
            pair.legacy.database.table(self.source.name),
            is_one_of(self.source, keys),
        )
        return {row[0] for row in pair.legacy.rows(query)}

    def _rows(self, name: str, **parts: sql.Composable) -> list[TupleRow]:
        return self.known.pair.session.rows(self._statement(name, **parts))

    @property
    def _copy(self) -> sql.Identifier:
        return sql.Identifier("pg_temp", f"legacy_{self.source.name}")

    def _statement(self, name: str, **parts: sql.Composable) -> sql.Composed:
        names = {**statement_names(self.known.pair, self.spec, self.source.name), **parts}
        names["map_key"] = self._map_key()
        return SQL[name].format(
            **names,
            copy=self._copy,
            key=target_key(list(self.source.key_columns), "l"),
            listed=short_key_of(target_key(list(self.source.key_columns), "l")),
            age=sql.Literal(self._age),
            completed_run=sql.Literal(self.known.completed_run),
            finished_run=sql.Literal(self.known.completed_with(self.source.name)),
        )

    def _map_key(self) -> sql.Composable:
        """The key of a legacy row in the type that it has in the map, so that an index or a hash can find it."""
        kind, names = str(map_of(self.spec).columns["legacy_key"].type).lower(), self.source.key_columns
        if len(names) == 1 and copy_type(self.source.table.columns[names[0]]).lower() == kind:
            return sql.Identifier("l", names[0])
        return sql.SQL("({})::{}").format(target_key(list(names), "l"), sql.SQL(kind))


def removed(known: TableChanges, spec: TableSpec) -> list[tuple[str, str, str]]:
    """Legacy table, legacy key and new key of live entries of the map whose target row is not there."""
    pair = known.pair
    statement = SQL["removed"].format(**statement_names(pair, spec))
    return [(row[0], row[1], row[2]) for row in pair.session.rows(statement)]
