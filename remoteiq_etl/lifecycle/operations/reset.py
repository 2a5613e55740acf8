"""Forgetting a table or a row, so that the next run takes its legacy rows as new, under the same keys.

A row that is still as we wrote it keeps the hash of that, and is written again where the rules give something else now. Of
one that was edited in the target the hash goes: whatever legacy gives then differs from what was last written, and the row
becomes a conflict. Recorded decisions stay. Belongs here: what there is to forget, forgetting, and what depends on it. Does
not belong here: the run that follows, and reading what was forgotten (remoteiq_etl.backfill.change_capture.reread).
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from remoteiq_etl.backfill.context.live_columns import LiveColumn, live_columns, resolved
from remoteiq_etl.backfill.load.conflicts import EDITED
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.lifecycle.operations.conflicts import ConflictList, Resolution
from remoteiq_etl.lifecycle.stages import moves
from remoteiq_etl.postgres import row_hash
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.postgres.session_checks import refuse_shared
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.locks import lock, take_over
from remoteiq_etl.state.orders import Control, actor
from remoteiq_etl.state.schema import State
from remoteiq_etl.state.sources import SourceRecord
from remoteiq_etl.state.target_access import statement_names
from remoteiq_etl.state.written_columns import current_hash
from schemas.state.watermarks import FORGOTTEN

SQL = statements(__file__)

Row = tuple[str, str]
"""Legacy table and legacy key."""


@dataclass(frozen=True)
class ResetFigures:
    """What a reset would forget, in rows.

    `as_written`: still as we wrote them; `edited` in the target since; `adopted`; `merged` into other rows; `deleted` in the
    target; `gone` from legacy or taken back by an undo; `left_out` by a rule; `waiting` in quarantine or for a parent.
    """

    as_written: int = 0
    edited: int = 0
    adopted: int = 0
    merged: int = 0
    deleted: int = 0
    gone: int = 0
    left_out: int = 0
    waiting: int = 0

    def __add__(self, other: "ResetFigures") -> "ResetFigures":
        sums = {one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)}
        return ResetFigures(**sums)

    @property
    def total(self) -> int:
        """All of them."""
        return sum(asdict(self).values())


@dataclass(frozen=True)
class ResetScope:
    """What is to be forgotten: an asset, and the rows of it; None means all."""

    spec: TableSpec
    rows: tuple[Row, ...] | None = None

    @property
    def legacy_tables(self) -> list[str]:
        """The legacy tables that it is about."""
        every = [source.name for source in self.spec.sources]
        return every if self.rows is None else [name for name in every if name in {table for table, _ in self.rows}]

    def keys(self, legacy_table: str) -> list[str] | None:
        """The legacy keys of one of them; None: all."""
        return None if self.rows is None else [key for table, key in self.rows if table == legacy_table]


@dataclass(frozen=True)
class Resetter:
    """Forgets rows of one source. It has what the engine's comparisons reach for."""

    session: Session
    state: State
    source_record: SourceRecord
    target: Database
    specs: Mapping[str, TableSpec]
    live: Mapping[str, Mapping[str, LiveColumn]]

    def spec(self, entity: str) -> TableSpec:
        """The declaration of an asset, with the columns that the target has."""
        declared = self.specs[entity]
        return resolved(declared, self.live.get(declared.name, {}))

    def has_target(self, table: str) -> bool:
        """Whether the target has this table."""
        return table in self.live

    def scope(self, asset: str, key: str | None = None) -> ResetScope:
        """What a reset of an asset, or of its row of this legacy or new key, is about. Raises ConfigurationError."""
        spec = self.spec(asset)
        if not self.has_target(spec.name) or not self.state.has_map(self.session, spec.name):
            raise ConfigurationError(
                f"{asset} was never migrated, so that there is nothing to forget: remoteiq-etl run."
            )
        if key is None:
            return ResetScope(spec)
        query = SQL["rows"].format(**statement_names(self, spec))
        found = self.session.rows(query, {**self._parameters(spec), "key": key})
        if not found:
            raise ConfigurationError(
                f"{asset}: no run has read a row of the legacy key {key!r}, or written one of this new key."
                f" remoteiq-etl explain {asset} KEY says which keys are like it."
            )
        return ResetScope(spec, tuple((table, legacy_key) for table, legacy_key in found))

    def figures(self, scope: ResetScope) -> ResetFigures:
        """What would be forgotten."""
        return sum((self._figures(scope, table) for table in scope.legacy_tables), ResetFigures())

    def forget(self, scope: ResetScope, *, take_legacy: bool = False, recreate: bool = False) -> ResetFigures:
        """Forget what was read and written, and record who wanted it; the next run of the asset reads it again.

        Raises LockedError while a run is in work, SourcePaused while runs are paused.
        """
        Control(self.session, self.state, self.source_record.id).refuse_paused()
        with moves.naming_the_holder(self.target, self.state.schema, self.source_record.name):
            lock(self.session, self.source_record)
        take_over(self.session, self.state, self.source_record)
        with self.session.transaction():
            moves.takes_away(self.session, self.state, self.source_record.id, "reset", f"reset of {scope.spec.asset}")
            found = self.figures(scope)
            for table in scope.legacy_tables:
                self._forget(scope, table)
            if scope.rows is None:
                self._forget_asset(scope.spec)
            self._record(scope, found, take_legacy, recreate)
        return found

    def take(self, scope: ResetScope) -> int:
        """Decide for legacy in the open conflicts of the scope's edited rows; the next run writes them. Returns how many."""
        conflicts = ConflictList(self.session, self.state, self.source_record.id)
        chosen = [
            one
            for one in conflicts.find([scope.spec.name])
            if one.reason == EDITED and (scope.rows is None or (one.legacy_table, one.legacy_key) in scope.rows)
        ]
        return len(conflicts.decide(chosen, Resolution.TAKE, f"reset by {actor()}"))

    # --- statements ---------------------------------------------------------------------------------------------

    def _figures(self, scope: ResetScope, legacy_table: str) -> ResetFigures:
        query = SQL["figures"].format(**self._names(scope.spec, legacy_table))
        return ResetFigures(*self.session.rows(query, self._of(scope, legacy_table))[0])

    def _forget(self, scope: ResetScope, legacy_table: str) -> None:
        names, parameters = self._names(scope.spec, legacy_table), self._of(scope, legacy_table)
        self.session.execute(SQL["map"].format(**names), parameters)
        self.session.execute(SQL["left_out"].format(**names), parameters)

    def _forget_asset(self, spec: TableSpec) -> None:
        update = sql.SQL("UPDATE {} SET fingerprint = %s WHERE source_id = %s AND table_name = %s")
        self.session.execute(update.format(self.state.name("assets")), [FORGOTTEN, self.source_record.id, spec.asset])

    def _record(self, scope: ResetScope, found: ResetFigures, take_legacy: bool, recreate: bool) -> None:
        insert = SQL["record"].format(**self.state.names)
        what = [self.source_record.id, scope.spec.asset]
        how = [take_legacy, recreate, Jsonb(asdict(found)), actor()]
        rows: Sequence[tuple[str | None, str | None]] = scope.rows or [(None, None)]
        self.session.execute_many(insert, [[*what, *row, *how] for row in rows])

    def _names(self, spec: TableSpec, legacy_table: str) -> dict[str, sql.Composable]:
        return {
            **statement_names(self, spec),
            "there": sql.SQL("t.{} IS NOT NULL").format(sql.Identifier(spec.primary_key[0])),
            "current_hash": current_hash(self, spec, legacy_table),
        }

    def _parameters(self, spec: TableSpec) -> dict[str, Any]:
        sources = [source.name for source in spec.sources]
        return {"source_id": self.source_record.id, "table": spec.name, "legacy_tables": sources}

    def _of(self, scope: ResetScope, legacy_table: str) -> dict[str, Any]:
        keys = scope.keys(legacy_table)
        return {**self._parameters(scope.spec), "legacy_table": legacy_table, "keys": keys}


@contextlib.contextmanager
def opened(target: Database, state_schema: str, source: str, specs: Mapping[str, TableSpec]) -> Iterator[Resetter]:
    """A resetter of one source. Raises ConfigurationError when no run of it ever began."""
    state = State(target, state_schema)
    with contextlib.ExitStack() as stack:
        plain = stack.enter_context(contextlib.closing(target.connect()))
        refuse_shared(plain)
        query = sql.SQL("SELECT id, name, hash_key FROM {} WHERE name = %s").format(state.name("sources"))
        found = plain.rows(query, [source]) if state.exists(plain) else []
        if not found:
            raise ConfigurationError(
                f"no run of the source {source!r} has begun yet in this target, so that there is nothing to forget."
            )
        state.ensure(plain)
        source_record = SourceRecord(found[0][0], found[0][1], bytes(found[0][2]))
        hashed = target.with_settings(row_hash.session_settings(source_record.hash_key))
        session = stack.enter_context(contextlib.closing(hashed.connect()))
        yield Resetter(session, state, source_record, target, specs, live_columns(session, target.schema))
