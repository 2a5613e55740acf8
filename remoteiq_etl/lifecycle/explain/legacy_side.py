"""What is known of one legacy row: its values in the legacy database, and everything that the state schema says of it.

Belongs here: reading it. Does not belong here: the target rows that it became (see target_side).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import psycopg
from psycopg import sql
from sqlalchemy import Table

from remoteiq_etl.backfill.source.selection import is_one_of
from remoteiq_etl.lifecycle.explain.entries import ExplainedEntries
from remoteiq_etl.lifecycle.explain.model import (
    ArchivedValue,
    DeletedAtSource,
    HeldRow,
    LegacyRow,
    SettingPath,
    SkippedRow,
)
from remoteiq_etl.lifecycle.operations.quarantine import Quarantine, QuarantinedDetail, Selected
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.encodings import Unreadable, shown
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.sensitive.redaction import LONGEST, REDACTED, SECRET_KEY, is_secret, redacted_json
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.state.schema import State

SQL = statements(__file__)

_Row = TypeVar("_Row", HeldRow, SkippedRow, DeletedAtSource, ArchivedValue, SettingPath)


@dataclass(frozen=True)
class LegacySide:
    """Reads legacy rows of one source. `legacy`: a session on the legacy database; None where it cannot be reached."""

    session: Session
    state: State
    source_id: int
    specs: Mapping[str, TableSpec]
    entries: ExplainedEntries
    legacy: Session | None

    def row(self, table: str, key: str) -> LegacyRow:
        """All that is known of one legacy row."""
        present, values = self._values(table, key)
        return LegacyRow(
            table,
            key,
            present,
            values,
            tuple(self.entries.of_legacy(key, table)),
            self._quarantine(table, key),
            self._rows(HeldRow, "held", table, key),
            tuple(map(self.placed, self._rows(SkippedRow, "left_out", table, key))),
            self._rows(DeletedAtSource, "gone", table, key),
            self._rows(ArchivedValue, "archive", table, key),
            self._rows(SettingPath, "settings", table, key),
        )

    def placed(self, row: SkippedRow) -> SkippedRow:
        """A merged row with the target row that it is part of.

        That is the one of its entry in the map; else the only row that the table has, or the one of its natural key.
        """
        if row.outcome != "merged":
            return row
        mapped = self.entries.of_legacy(row.legacy_key, row.legacy_table, [row.table])
        into = mapped[0].new_key if mapped else self.entries.only_row(row.table) or self._by_natural_key(row)
        return replace(row, into=into)

    def _by_natural_key(self, row: SkippedRow) -> str | None:
        """The row that the normalised key leads to, by a derived row or by the winner of a decision."""
        for entry in self.entries.of_legacy(row.legacy_key.strip().lower(), entities=[row.table]):
            winner = entry.decision.get("winner") if isinstance(entry.decision, dict) else None
            won = self.entries.of_legacy(str(winner), entities=[row.table]) if winner is not None else []
            if found := entry.new_key or next((one.new_key for one in won), None):
                return found
        return None

    def _quarantine(self, table: str, key: str) -> tuple[QuarantinedDetail, ...]:
        selected = Selected(tables=(table,), keys=(key,), released=True)
        rows = Quarantine(self.session, self.state, self.source_id).details(selected)
        return tuple(row for row in rows if row.legacy_table == table)

    def _rows(self, row_type: type[_Row], what: str, table: str, key: str) -> tuple[_Row, ...]:
        query = SQL[what].format(**self.state.names)
        parameters = {"source_id": self.source_id, "table": table, "key": key}
        return tuple(self.session.objects(row_type, query, parameters))

    # --- the legacy database ------------------------------------------------------------------------------------

    def _values(self, table: str, key: str) -> tuple[bool | None, Mapping[str, Any] | None]:
        """Whether the legacy database holds the row, and the row; None where it cannot be asked."""
        source = self._source(table)
        if source is None or self.legacy is None:
            return None, None
        query = sql.SQL("SELECT {} FROM {} AS l WHERE {}").format(
            _as_json(self.legacy.database.unreadable), self.legacy.database.table(table), is_one_of(source, [key])
        )
        try:
            found = self.legacy.value(query)
        except psycopg.errors.DataError:  # no key of this table looks like this
            return False, None
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn, psycopg.errors.InsufficientPrivilege):
            return None, None
        return found is not None, None if found is None else public_values(source.table, found)

    def _source(self, table: str) -> Source | None:
        """A declaration that streams the table."""
        sources = (source for spec in self.specs.values() for source in spec.streamed if source.name == table)
        return min(sources, key=lambda source: not source.primary, default=None)


def _as_json(bad: Unreadable | None) -> sql.Composable:
    """A row (alias l) as JSON; values whose bytes are no text are shown in octal."""
    if bad is None:
        return sql.SQL("to_jsonb(l)")
    text = sql.SQL("(e.value #>> '{{}}')").format()
    return sql.SQL(
        "(SELECT jsonb_object_agg(e.key, CASE WHEN {} THEN to_jsonb({}) ELSE e.value END) FROM jsonb_each(to_jsonb(l)) AS e)"
    ).format(bad.condition(text), shown(text))


def public_values(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON without its secrets, long texts cut. A column that no definition knows is judged by its name."""
    return {name: _public(table, name, value) for name, value in row.items()}


def _public(table: Table, name: str, value: Any) -> Any:
    secret = is_secret(table.columns[name]) if name in table.columns else bool(SECRET_KEY.search(name))
    if secret and value is not None:
        return REDACTED
    value = redacted_json(value)
    return f"{value[:LONGEST]}…" if isinstance(value, str) and len(value) > LONGEST else value
