"""The lookups of a run: maps read once from the target and kept until the table behind them changes.

In a plan nothing is committed, so what would have been mapped or decided is kept here, on top of what is.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from remoteiq_etl.backfill.context.prepared import ADOPTED, PreparedBatch
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.spec.batch import KEY
from remoteiq_etl.spec.decisions import SAME_AS, Decision
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.outcomes import Outcome
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.maps import read_lookup

Place = tuple[str, str]  # (entity, legacy table)


@dataclass
class _Overlay:
    """What a plan would have added to one map."""

    new_keys: dict[str, str] = field(default_factory=dict)
    decisions: dict[str, dict[str, Any]] = field(default_factory=dict)
    adopted: set[str] = field(default_factory=set)
    quarantined: set[str] = field(default_factory=set)


class Lookups:
    """Lookups by (entity, legacy table), for one run."""

    def __init__(self, run: RunContext, wanted: Iterable[Place]) -> None:
        self.run = run
        self.wanted = frozenset(wanted)
        self._loaded: dict[Place, Lookup] = {}
        self._planned: dict[Place, _Overlay] = defaultdict(_Overlay)

    def get(self, entity: str, legacy_table: str, *, own: bool = False) -> Lookup:
        """The map as it is now; `own` when the entity itself is being loaded (see State.lookup)."""
        place = (entity, legacy_table)
        if own:
            return self._read(place, own=True)
        if place not in self._loaded:
            self._loaded[place] = self._read(place, own=False)
        return self._loaded[place]

    def forget(self, entity: str) -> None:
        """The maps of this entity have changed."""
        self._loaded = {place: lookup for place, lookup in self._loaded.items() if place[0] != entity}

    def decided(self, entity: str, decisions: Iterable[Decision]) -> None:
        """Remember decisions that a plan does not record."""
        for decision in decisions:
            self.forget(decision.entity or entity)
            overlay = self._planned[(decision.entity or entity, decision.legacy_table)]
            overlay.decisions[decision.legacy_key] = dict(decision.values)
            if decision.new_key is not None:
                overlay.new_keys[decision.legacy_key] = decision.new_key

    def written(
        self, spec: TableSpec, legacy_table: str, prepared: PreparedBatch, merged: Iterable[tuple[str, str, str, str]]
    ) -> None:
        """Remember what a plan would have mapped, where another table looks it up."""
        if not self.run.planning or not any(entity == spec.name for entity, _ in self.wanted):
            return
        # A table that only recalls this map may have read it before.
        self.forget(spec.name)
        overlay = self._planned[(spec.name, legacy_table)]
        if len(prepared.rows) and len(spec.primary_key) == 1:
            overlay.new_keys.update(
                zip(prepared.rows[KEY], prepared.rows[spec.primary_key[0]].astype("object"), strict=True)
            )
        if ADOPTED in prepared.rows:
            overlay.adopted.update(prepared.rows.loc[prepared.rows[ADOPTED], KEY])
        for table, key, _, into in merged:
            if table == legacy_table and into in overlay.new_keys:
                overlay.new_keys[key] = overlay.new_keys[into]
        overlay.quarantined |= {d.key for d in prepared.disposals if d.outcome == Outcome.QUARANTINED}

    def _read(self, place: Place, *, own: bool) -> Lookup:
        run = self.run
        lookup = read_lookup(run.state, run.session, run.arrow, run.source_record.id, *place, own=own)
        overlay = self._planned.get(place)
        if overlay is None:
            return lookup
        known = {*lookup.keys.to_pylist()}
        planned = {**overlay.new_keys, **self._followed(place[0], overlay)}
        more = {key: new for key, new in planned.items() if key not in known}
        return replace(
            lookup.extended(more.keys(), more.values()),
            decisions={**lookup.decisions, **overlay.decisions},
            adopted=lookup.adopted | overlay.adopted,
            quarantined=lookup.quarantined | overlay.quarantined,
        )

    def _followed(self, entity: str, overlay: _Overlay) -> dict[str, str]:
        """The new keys of keys that stand for another row of their entity, once that row is planned."""
        followed = {}
        for key, values in overlay.decisions.items():
            table, other = values.get(SAME_AS, ("", ""))
            rows = self._planned.get((entity, table))
            if rows is not None and other in rows.new_keys:
                followed[key] = rows.new_keys[other]
        return followed
