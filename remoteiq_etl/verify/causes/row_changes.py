"""Whether legacy has changed since what a single row depends on: then a difference of that row is no BUG.

A row differs since the table was completed only if something has changed that its opinion reads. Of its own legacy row, and of
those whose keys it names, the xmin tells; which ones these are, the opinion says (see OneRow). Of a table of which any row may
have decided about it, one changed row is a reason for every row; what says so names that table. Belongs here: these questions
for some rows. Does not belong here: what follows for a label (see labels).
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from remoteiq_etl.backfill.source.ages import is_newer
from remoteiq_etl.backfill.source.selection import is_one_of
from remoteiq_etl.spec.table import Source
from remoteiq_etl.verify.causes.labels import DELETED_AT_SOURCE, WRITTEN
from remoteiq_etl.verify.causes.table_changes import TableChanges
from remoteiq_etl.verify.expected.compare import target_key
from remoteiq_etl.verify.expected.expectation import Expectation, OneRow
from remoteiq_etl.verify.expected.legacy_copy import legacy_table as definition

Row = tuple[str | None, str | None]
"""Legacy table and key; None where a difference is about no legacy row, or about one that nobody knows."""


@dataclass(frozen=True)
class RowChanges:
    """What has changed since of that on which rows of one table depend, by what an opinion says of it."""

    known: TableChanges
    expectation: Expectation

    def reasons(self, rows: Sequence[Row]) -> list[str | None]:
        """Why each of these rows may differ by now, besides that its own legacy row was written; None where nothing has moved."""
        found: dict[Row, str] = {}
        for table in {name for name, _ in rows}:
            found |= self._of_table(table, sorted({key for name, key in rows if name == table and key}))
        return [found.get(row) or found.get((row[0], None)) for row in rows]

    def _of_table(self, table: str | None, keys: list[str]) -> dict[Row, str]:
        """The reasons by row; under (table, None) the one that holds for every row."""
        place = None if table is None else self.known.pair.source(self.known.table, table)
        single = self._single(table) if place is not None and table and self.known.horizon(table) is not None else ()
        shared = set(self.expectation.looks_at) - {one.table for one in single}
        if reason := self.known.surroundings(sorted(shared), self.expectation.maps):
            return {(table, None): reason}
        named = [one for one in single if one.column and self.known.changed_table([one.table])]
        return {} if place is None or not named or not keys else dict(self._named(place[1], keys, named))

    def _single(self, table: str | None) -> tuple[OneRow, ...]:
        """The tables of which a row that comes from this one depends on one row alone."""
        own = any(one.table == table and one.column is None for one in self.expectation.each_row)
        own_or_named = (one for one in self.expectation.each_row if one.table == table or one.column)
        return tuple(own_or_named) if own else ()

    def _named(self, source: Source, keys: list[str], named: Sequence[OneRow]) -> Iterator[tuple[Row, str]]:
        """The rows that name a row which was written since, or which is not there."""
        legacy = self.known.pair.legacy
        joins = [self._join(one) for one in self.expectation.each_row if one.column]
        query = sql.SQL("SELECT {}, {} FROM {} AS l {} WHERE {}").format(
            target_key(list(source.key_columns), "l"),
            sql.SQL(", ").join(self._moved(one) for one in named),
            legacy.database.table(source.name),
            sql.SQL(" ").join(joins),
            is_one_of(source, keys),
        )
        for key, *moved in legacy.rows(query):
            for one, word in zip(named, moved, strict=True):
                if word == "newer":
                    yield (
                        (source.name, key),
                        f"the row of {one.table} that it names was written since the table was last completed",
                    )
                elif word == "absent":
                    yield (source.name, key), f"the row of {one.table} that it names is not there; {self._changed(one)}"

    def _changed(self, one: OneRow) -> str | None:
        return self.known.changed_table([one.table])

    def _join(self, one: OneRow) -> sql.Composed:
        (key,) = definition(one.table).primary_key.columns
        return sql.SQL("LEFT JOIN {} AS {} ON {} = {}").format(
            self.known.pair.legacy.database.table(one.table),
            sql.Identifier(one.table),
            sql.Identifier(one.table, key.name),
            sql.Identifier(one.of or "l", one.column or key.name),
        )

    def _moved(self, one: OneRow) -> sql.Composed:
        (key,) = definition(one.table).primary_key.columns
        horizon = self.known.seen(one.table)[0]
        newer = sql.SQL("true") if horizon is None else is_newer(sql.Identifier(one.table, "xmin"), horizon)
        return sql.SQL(
            "CASE WHEN {column} IS NULL THEN NULL WHEN {key} IS NULL THEN 'absent' WHEN {newer} THEN 'newer' END"
        ).format(
            column=sql.Identifier(one.of or "l", one.column or key.name),
            key=sql.Identifier(one.table, key.name),
            newer=newer,
        )


def newer_rows(known: TableChanges, table: str, keys: Collection[str]) -> Mapping[str, bool] | None:
    """By key, of those of these legacy rows that are there, whether each was written since the table was last completed.

    None where the table makes no rows from that legacy table, or has never read it.
    """
    place, horizon = known.pair.source(known.table, table), known.horizon(table)
    if place is None or horizon is None:
        return None
    source = place[1]
    query = sql.SQL("SELECT {}, {} FROM {} AS l WHERE {}").format(
        target_key(list(source.key_columns), "l"),
        is_newer(sql.SQL("l.xmin"), horizon),
        known.pair.legacy.database.table(table),
        is_one_of(source, sorted(keys)),
    )
    return dict(known.pair.legacy.rows(query))


def row_key(known: TableChanges, table: str, key: str) -> str:
    """The key of the legacy row that a key in the map is about; where one row becomes several, theirs begin with it."""
    place = known.pair.source(known.table, table)
    if place is None or not key.startswith("[") or len(place[1].key_columns) > 1:
        return key
    owner = place[0].owned_by
    return str(json.loads(key)[0]) if owner is not None and owner.name == table else key


def own_reasons(known: TableChanges, table: str, keys: Collection[str]) -> Mapping[str, str]:
    """By key, of those of these legacy rows that legacy has changed since, how; of all where that cannot be told of one."""
    rows = {key: row_key(known, table, key) for key in keys}
    newer = newer_rows(known, table, {*rows.values()})
    if newer is None:
        reason = known.stale()
        return dict.fromkeys(keys, reason) if reason else {}
    moved = {key: WRITTEN if row in newer else DELETED_AT_SOURCE for key, row in rows.items() if newer.get(row, True)}
    shared = known.surroundings(())
    return dict.fromkeys(keys, shared) | moved if shared else moved
