"""What is known of one target row: its columns with their rules, every legacy key behind it, our writes, and conflicts.

Belongs here: reading it. Does not belong here: the legacy rows themselves (see legacy_side).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from remoteiq_etl.backfill.context.live_columns import LiveColumn, live_columns, resolved
from remoteiq_etl.backfill.outcomes.before_images import Image, text_join
from remoteiq_etl.lifecycle.explain.entries import ExplainedEntries
from remoteiq_etl.lifecycle.explain.legacy_side import LegacySide
from remoteiq_etl.lifecycle.explain.model import ColumnFact, MappedKey, SkippedRow, TargetRow, Write
from remoteiq_etl.lifecycle.mapping.column_map import of_table
from remoteiq_etl.lifecycle.operations.conflicts import ConflictList
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.sensitive.redaction import is_secret
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.schema import State
from schemas.state.maps import map_name

SQL = statements(__file__)


class _ImageRow(NamedTuple):
    run_id: int
    operation: str
    image: dict[str, Any]
    sealed: list[str]
    withheld: list[str]
    undone_by: int | None


OURS, ADOPTED, NOT_OURS = "ours", "adopted", "not ours"


@dataclass(frozen=True)
class TargetSide:
    """Reads target rows of one source."""

    session: Session
    state: State
    source_id: int
    specs: Mapping[str, TableSpec]
    entries: ExplainedEntries
    legacy_side: LegacySide

    def row(self, table: str, key: str) -> TargetRow:
        """All that is known of one target row."""
        behind = self.entries.of_new(key, [table])
        spec = self._spec(table, behind)
        row, last_written = self._values(spec, key)
        images = self._images(table, key)
        return TargetRow(
            table,
            key,
            row is not None,
            _origin(behind),
            tuple(_columns(spec, row, last_written)) if row is not None else (),
            tuple(behind),
            self._merged(table, key),
            tuple(_writes(behind, images, row)),
            tuple(ConflictList(self.session, self.state, self.source_id).find([table], key, only_open=False)),
        )

    def tables_with(self, key: str, tables: Iterable[str]) -> list[str]:
        """Those of these target tables that have a row of this key, whoever wrote it."""
        return [table for table in tables if self._values(self._spec(table, ()), key)[0] is not None]

    def _spec(self, table: str, behind: Sequence[MappedKey]) -> TableSpec:
        """The declaration that made the row, with the columns that the target has."""
        named = [spec for spec in self.specs.values() if spec.name == table]
        made = {entry.legacy_table for entry in behind if entry.state == "live"}
        by_source = [spec for spec in named if made & {source.name for source in spec.sources}]
        spec = next(iter(by_source or named))
        return resolved(spec, self._live.get(table, {}))

    @cached_property
    def _live(self) -> Mapping[str, Mapping[str, LiveColumn]]:
        return live_columns(self.session, self.session.database.schema)

    def _values(self, spec: TableSpec, key: str) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """The row without its secrets (None: there is none), and what we wrote last of it, where that is kept."""
        if spec.name not in self._live:
            return None, {}
        kinds = self.entries.entities.get(spec.name)
        query = SQL["target" if kinds else "unmapped"].format(
            row=Image.of(spec, self.state.schema).shown,
            map=self.state.name(map_name(spec.name)),
            kind=sql.SQL(kinds["new_key"] if kinds else "text"),
            target=self.session.database.table(spec.name),
            joined=text_join(spec, "k"),
        )
        try:
            found = self.session.rows(query, {"source_id": self.source_id, "key": key})
        except psycopg.errors.DataError:  # no key of this table looks like this
            return None, {}
        return (found[0][0], found[0][1] or {}) if found else (None, {})

    def _images(self, table: str, key: str) -> list["_ImageRow"]:
        query = SQL["images"].format(**self.state.names)
        found = self.session.rows(query, {"source_id": self.source_id, "table": table, "key": key})
        return [_ImageRow(*row) for row in found]

    def _merged(self, table: str, key: str) -> tuple[SkippedRow, ...]:
        """The rows that are part of this one and have no entry in the map."""
        if table not in self.entries.entities:
            return ()
        query = SQL["merged"].format(**self.state.names, map=self.state.name(map_name(table)))
        found = self.session.rows(query, {"source_id": self.source_id, "table": table})
        return tuple(one for row in found if (one := self.legacy_side.placed(SkippedRow(*row))).into == key)


def _origin(behind: Sequence[MappedKey]) -> str:
    if any(entry.adopted for entry in behind):
        return ADOPTED
    return OURS if any(entry.written or entry.state in ("deleted", "gone", "undone") for entry in behind) else NOT_OURS


def _columns(spec: TableSpec, row: Mapping[str, Any], last_written: Mapping[str, Any]) -> Iterable[ColumnFact]:
    rules = {column.name: column for column in of_table(spec)}
    for column in spec.target.columns:
        name, secret = column.name, is_secret(column)
        compared = name in last_written and not secret and name not in spec.activity
        edited = row.get(name) != last_written[name] if compared else None
        known = rules.get(name)
        rule, sources = (known.rule, known.sources) if known else (None, ())
        yield ColumnFact(name, None if secret else row.get(name), secret and name not in row, rule, sources, edited)


def _writes(
    behind: Sequence[MappedKey],
    images: Sequence["_ImageRow"],
    row: Mapping[str, Any] | None,
) -> Iterable[Write]:
    """Our writes in their order: the insert, and one for each before image, with what was different after it."""
    made = [entry.inserted_run for entry in behind if entry.inserted_run is not None]
    if made:
        yield Write(min(made), "insert", ())
    for one, later in zip(images, [*(image.image for image in images[1:]), row or {}], strict=False):
        changed = (
            [] if one.operation == "delete" else [name for name in one.image if one.image[name] != later.get(name)]
        )
        hidden = (tuple(sorted(one.sealed)), tuple(one.withheld))
        yield Write(one.run_id, one.operation, tuple(changed), one.image, *hidden, one.undone_by)
