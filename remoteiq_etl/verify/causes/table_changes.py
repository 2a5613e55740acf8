"""What a table depends on and has changed since it was last completed: a reason for any of its rows to differ.

Belongs here: finding the first such reason. Does not belong here: what has changed of a single row (see since).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from psycopg import sql

from remoteiq_etl.backfill.change_capture.fingerprint import is_current
from remoteiq_etl.backfill.change_capture.watermarks import Completed, Pass, read_completed, read_passes
from remoteiq_etl.backfill.source.ages import OLDEST_HORIZON, is_newer
from remoteiq_etl.backfill.source.relation_shape import altered
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.dependencies import inputs_of
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.locks import is_locked, run_lock
from remoteiq_etl.verify.snapshots import SnapshotPair
from schemas.state.maps import map_name

SQL = statements(__file__)

#: Older than any transaction.
_EVERY = 2**31 - 1
#: Ids below this one are the server's own and have no age.
_FIRST_NORMAL = 3


@dataclass(frozen=True)
class TableChanges:
    """What was known when a table was looked at: how each asset was completed, and up to where it has read legacy tables."""

    pair: SnapshotPair
    table: str
    _unfinished: dict[str, int | None] = field(default_factory=dict, init=False, compare=False)

    @cached_property
    def completed(self) -> Mapping[str, Completed]:
        """How each asset that is declared was last completed."""
        specs = self.pair.verification_context.plan.specs
        return {asset: done for asset, done in read_completed(self.pair).items() if asset in specs}

    @cached_property
    def passes(self) -> Mapping[tuple[str, str], Pass]:
        """What each asset last read, by asset and legacy table."""
        return read_passes(self.pair)

    @cached_property
    def writers(self) -> list[TableSpec]:
        """The declarations that write the table and were completed."""
        return [spec for spec in self.pair.writers(self.table) if spec.asset in self.completed]

    @property
    def completed_run(self) -> int:
        """The run that completed the table last; of several declarations the earliest of theirs, 0 where none did."""
        return min((self.completed[spec.asset].run_id for spec in self.writers), default=0)

    def horizon(self, legacy_table: str) -> int | None:
        """Up to where the table has seen a legacy table; of several declarations the least. None where it never read it."""
        found = [
            self.passes[spec.asset, legacy_table] for spec in self.writers if (spec.asset, legacy_table) in self.passes
        ]
        return min((one.horizon for one in found), default=None)

    def age(self, legacy_table: str) -> int:
        """The age that a row's xmin has at the most when it was written since the table was last completed; see Mirror.

        It is that in the session of the snapshot, which must not be busy with a copy.
        """
        horizon = self.horizon(legacy_table)
        if horizon is None:
            return _EVERY
        oldest = max(horizon % 2**32, _FIRST_NORMAL)
        return int(self.pair.snapshot.session.value("SELECT age(%s::text::xid)", [str(oldest)]))

    def reads(self, further: Collection[str] = ()) -> list[str]:
        """Every legacy table that the table, or an opinion of it, reads."""
        return sorted({name for spec in self.writers for name in inputs_of(spec).legacy} | {*further})

    def stale(self, further: Collection[str] = ()) -> str | None:
        """Why any row of the table may differ by now; None when nothing has changed. `further`: tables that its opinions read."""
        return self.surroundings(self.reads(further))

    def surroundings(self, tables: Collection[str], maps: Collection[str] = ()) -> str | None:
        """The same by these legacy tables alone, and by these maps besides those that the declarations read."""
        return self.changed_program or self._changed_map(maps) or self.changed_table(tables)

    def completed_with(self, legacy_table: str) -> int:
        """The run that last completed the rows which come from a legacy table; 0 where none did."""
        found = [spec for spec in self.writers if any(source.name == legacy_table for source in spec.sources)]
        return max((self.completed[spec.asset].run_id for spec in found or self.writers), default=0)

    @cached_property
    def changed_program(self) -> str | None:
        """Why what is known of the last run says nothing about any row."""
        for spec in self.writers:
            done = self.completed[spec.asset]
            if done.database != self.pair.snapshot.database:
                return "the legacy database is another one than the last run read"
            if not is_current(done.fingerprint, spec, self.pair.plan_with(options_of(self.pair, done.run_id))):
                return "rules, words or options have changed since the table was last completed"
        return next((why for place, one in self.passes.items() if (why := self._untold(*place, one))), None)

    def _untold(self, asset: str, table: str, seen: Pass) -> str | None:
        """Why the age of a row of a legacy table says nothing: DDL, a restored backup, or too many transactions since."""
        snapshot = self.pair.snapshot
        if all(spec.asset != asset for spec in self.writers):
            return None
        if seen.shape is not None and (change := altered(seen.shape, snapshot.shapes.get(table))):
            return f"{table} was altered since the table was last completed ({change})"
        if seen.horizon <= snapshot.xmax and snapshot.xmax - seen.horizon <= OLDEST_HORIZON:
            return None
        return f"nobody can tell which rows of {table} were written since the table was last completed"

    def _changed_map(self, further: Collection[str]) -> str | None:
        """Another map that leads elsewhere now than when the table was completed, or that was never loaded.

        A table recalls a map as earlier runs left it, mostly one that is loaded after it: what the same run added there says
        nothing about the table, which worked the same out itself. What it changed there of earlier runs' does.
        """
        changed = self._changed_in()
        for spec in self.writers:
            inputs, own = inputs_of(spec), self.completed[spec.asset].run_id
            if never := sorted((inputs.maps | (inputs.recalled & {*further})) - changed.keys()):
                return f"{never[0]}, which decides about some of its rows, was never loaded"
            others = {*further} - inputs.maps - inputs.recalled - {self.table}
            later = [entity for entity in inputs.maps | inputs.recalled | others if changed.get(entity, 0) > own]
            later += [entity for entity in sorted(inputs.recalled) if self._is_overruled(entity, own)]
            if later:
                return f"the map of {min(later)} has changed since the table was last completed"
            if reason := self._unfinished_map((inputs.maps | inputs.recalled | others) & changed.keys()):
                return reason
        return None

    def _is_overruled(self, entity: str, run_id: int) -> bool:
        """Whether this run has changed what earlier runs had left in a map."""
        if self._changed_in().get(entity) != run_id:
            return False
        query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE source_id = %s AND first_run < %s AND last_run = %s)")
        name = self.pair.state.name(map_name(entity))
        return bool(self.pair.session.value(query.format(name), [self.pair.source_id, run_id, run_id]))

    def _unfinished_map(self, entities: Collection[str]) -> str | None:
        """A map that a run has changed without completing its table. While a run is in work its end is waited for instead."""
        if is_locked(self.pair.session, run_lock(self.pair.source_id)):
            return None
        for entity in sorted(entities):
            if run_id := self._unfinished_run(entity):
                return f"run {run_id} has changed the map of {entity}, and has not completed it"
        return None

    def _unfinished_run(self, entity: str) -> int | None:
        """The run that changed a map after its table was last completed."""
        if entity not in self._unfinished:
            pair, specs = self.pair, self.pair.verification_context.plan.specs
            done = max(one.run_id for asset, one in self.completed.items() if specs[asset].name == entity)
            query = sql.SQL("SELECT max(last_run) FROM {} WHERE source_id = %s AND last_run > %s")
            name = pair.state.name(map_name(entity))
            self._unfinished[entity] = pair.session.value(query.format(name), [pair.source_id, done])
        return self._unfinished[entity]

    def _changed_in(self) -> dict[str, int]:
        """In which run each entity's keys last changed; of those that were completed."""
        specs, found = self.pair.verification_context.plan.specs, dict[str, int]()
        for asset, done in self.completed.items():
            entity = specs[asset].name
            found[entity] = max(done.changed_run, found.get(entity, 0))
        return found

    def changed_table(self, tables: Collection[str]) -> str | None:
        """What has changed in the first of these legacy tables of which a row was written since, or is gone."""
        for table in tables:
            horizon, rows = self.seen(table)
            if horizon is None:
                continue
            found, newer = self.look_at(table, horizon)
            if newer:
                return f"{newer:,} rows of {table} were written since the table was last completed"
            if rows is not None and found != rows:
                return f"{table} had {rows:,} rows when the table was last completed, and has {found:,} now"
        return None

    def seen(self, table: str) -> tuple[int | None, int | None]:
        """Horizon and rows of a legacy table; of one that only the opinion reads the horizon of the others."""
        own = [self.passes[spec.asset, table] for spec in self.writers if (spec.asset, table) in self.passes]
        if own:
            oldest = min(own, key=lambda one: one.horizon)
            return oldest.horizon, oldest.legacy_rows
        assets = {spec.asset for spec in self.writers}
        return min((one.horizon for (asset, _), one in self.passes.items() if asset in assets), default=None), None

    def look_at(self, table: str, horizon: int) -> tuple[int, int]:
        """Rows of a legacy table, and how many were written since a horizon. Each question is asked once per look."""
        known: dict[tuple[str, int], tuple[int, int]] = self.pair.counted
        if (table, horizon) not in known:
            known[table, horizon] = count_newer(self.pair.legacy, table, horizon)
        return known[table, horizon]


def count_newer(legacy: Session, table: str, horizon: int) -> tuple[int, int]:
    """Rows of a legacy table, and how many of them were written since a horizon."""
    query = sql.SQL("SELECT count(*), count(*) FILTER (WHERE {}) FROM {} AS l")
    found = legacy.rows(query.format(is_newer(sql.SQL("l.xmin"), horizon), legacy.database.table(table)))[0]
    return int(found[0]), int(found[1])


def is_overtaken(pair: SnapshotPair, table: str) -> bool:
    """Whether a table was last completed by a run that saw more of legacy than this look does."""
    query = SQL["snapshots"].format(assets=pair.state.name("assets"), runs=pair.state.name("runs"))
    assets = [spec.asset for spec in pair.writers(table)]
    rows = pair.session.rows(query, {"source_id": pair.source_id, "assets": assets})
    return any(int(snapshot.split(":")[1]) > pair.snapshot.xmax for (snapshot,) in rows)


def options_of(pair: SnapshotPair, run_id: int) -> Mapping[str, Any]:
    """The options that a run was given."""
    query = sql.SQL("SELECT options FROM {} WHERE id = %s").format(pair.state.name("runs"))
    return dict(pair.session.value(query, [run_id]) or {})


def options_of_table(pair: SnapshotPair, table: str) -> Mapping[str, Any]:
    """The options of the run that last completed a table, of those that its declarations read."""
    query = sql.SQL(
        "SELECT r.options FROM {} AS a JOIN {} AS r ON r.id = a.run_id WHERE a.source_id = %s AND a.table_name = %s"
    )
    names = pair.state.name("assets"), pair.state.name("runs")
    found = pair.session.value(query.format(*names), [pair.source_id, table]) or {}
    writers = [spec for spec in pair.verification_context.plan.specs.values() if spec.name == table]
    return {name: value for name, value in found.items() if any(name in spec.run_options for spec in writers)}
