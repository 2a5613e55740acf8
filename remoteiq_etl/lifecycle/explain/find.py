"""Finding what somebody asks for: a legacy row, or a target row, by the names and keys that people have at hand.

Belongs here: which row is meant, and what belongs to its explanation. Does not belong here: reading one side (see
legacy_side, target_side).
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from psycopg import sql

from remoteiq_etl.frames.row_keys import one_key
from remoteiq_etl.lifecycle.explain.entries import ExplainedEntries, is_of_type
from remoteiq_etl.lifecycle.explain.legacy_side import LegacySide
from remoteiq_etl.lifecycle.explain.model import Explanation, LegacyRow, RunFact, TargetRow
from remoteiq_etl.lifecycle.explain.target_side import TargetSide
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.schema import State
from schemas import legacy as legacy_schema
from schemas.state.maps import map_name

SQL = statements(__file__)

_MOST_NEAR = 6
_WAITING = ("quarantine", "held", "left_out")


@dataclass(frozen=True)
class Explainer:
    """Explains rows of one source. `legacy`: a session on the legacy database; None where it cannot be reached."""

    session: Session
    state: State
    source: str
    source_id: int
    specs: Mapping[str, TableSpec]
    legacy: Session | None = None

    def of(self, table: str, keys: Sequence[str]) -> Explanation:
        """What became of the row of a legacy table; or, of a target table, what is behind its row of this key.

        Several keys are the parts of one; so is a JSON array.
        """
        key = one_key(keys)
        if table in self._legacy_tables or self.entries.has_legacy_table(table):
            row = self.legacy_side.row(table, key)
            if row.known or row.present:
                return self._forward(row)
        if table in self._target_tables and (found := self._backward(key, [table])):
            return found
        return self._nothing(table, key)

    def of_new(self, keys: Sequence[str], table: str | None = None) -> Explanation:
        """What is behind the target row of this key, of one target table or of any."""
        key = one_key(keys)
        tables = [table] if table else self._target_tables
        found = self._backward(key, tables)
        return found or Explanation(self.source, key, looked=(self._places_new(table), *_MAPS), near=())

    def knows(self, table: str) -> bool:
        """Whether anything has this name: a legacy table, a target table, or what stands for a legacy table in a map."""
        return table in {*self._legacy_tables, *self._target_tables} or self.entries.has_legacy_table(table)

    # --- both directions ----------------------------------------------------------------------------------------

    def _forward(self, row: LegacyRow) -> Explanation:
        places = [(entry.entity, entry.new_key) for entry in row.entries]
        places += [(one.table, one.into) for one in row.left_out]
        return self._told(f"{row.table} {row.key}", [row], [self.target_side.row(*place) for place in _known(places)])

    def _backward(self, key: str, tables: Iterable[str]) -> Explanation | None:
        """By the key of a target row, or by the natural key that it was made from."""
        tables = list(tables)
        entries = self.entries.of_new(key, tables)
        if not entries and len(tables) == 1:
            entries = [one for one in self.entries.of_legacy(key, entities=tables) if one.new_key is not None]
        places = _known((entry.entity, entry.new_key) for entry in entries)
        places = places or [(table, key) for table in self.target_side.tables_with(key, tables)]
        if not places:
            return None
        rows = [self.target_side.row(*place) for place in places]
        behind = {(one.legacy_table, one.legacy_key): None for row in rows for one in row.behind}
        behind |= {(one.legacy_table, one.legacy_key): None for row in rows for one in row.merged}
        subject = ", ".join(f"{row.table} {row.key}" for row in rows)
        return self._told(subject, [self.legacy_side.row(*place) for place in behind], rows)

    def _told(self, subject: str, legacy: Sequence[LegacyRow], target: Sequence[TargetRow]) -> Explanation:
        return Explanation(self.source, subject, tuple(legacy), tuple(target), self._runs(legacy, target))

    def _runs(self, legacy: Sequence[LegacyRow], target: Sequence[TargetRow]) -> dict[int, RunFact]:
        """Every run that is named anywhere."""
        facts: list[object] = []
        for one in legacy:
            facts += [*one.entries, *one.quarantine, *one.held, *one.left_out, *one.gone, *one.archive, *one.settings]
        for row in target:
            facts += [*row.behind, *row.merged, *row.writes, *row.conflicts]
        ids = {value for fact in facts for name, value in vars(fact).items() if _is_run(name) and value is not None}
        query = SQL["runs"].format(runs=self.state.name("runs"))
        return {run.id: run for run in self.session.objects(RunFact, query, {"ids": sorted(ids)})}

    # --- nothing found ------------------------------------------------------------------------------------------

    def _nothing(self, table: str, key: str) -> Explanation:
        looked = [self._place_in_legacy(table)] if table in self._legacy_tables else []
        looked += [self._places_new(table)] if table in self._target_tables else []
        return Explanation(self.source, f"{table} {key}", looked=(*looked, *_MAPS), near=tuple(self._near(table, key)))

    def _place_in_legacy(self, table: str) -> str:
        return f"the legacy table {table}{'' if self.legacy else ' (which cannot be reached)'}"

    def _places_new(self, table: str | None) -> str:
        return f"the target table {table}" if table else "every target table"

    def _near(self, table: str, key: str) -> list[str]:
        """Keys that are like this one: the nearest numbers, else the most similar texts."""
        found: dict[str, None] = {}
        for keys, scope, kind in self._scopes(table):
            names = {"keys": keys, "scope": scope, "kind": sql.SQL(kind if is_of_type(key, kind) else "text")}
            queries = ["near"] if is_of_type(key, kind) else []
            queries += ["near_number"] if key.isdecimal() else []
            for query in queries:
                found |= {row[0]: None for row in self.session.rows(SQL[query].format(**names), {"key": key})}
        if key.isdecimal():
            numbers = sorted((text for text in found if text.isdecimal()), key=lambda text: abs(int(text) - int(key)))
            if numbers:
                return numbers[:_MOST_NEAR]
        return difflib.get_close_matches(key, found, n=_MOST_NEAR, cutoff=0.3)

    def _scopes(self, table: str) -> Iterable[tuple[sql.Composable, sql.Composable, str]]:
        """The tables of the state schema with legacy keys of a table, the condition for them, and the type of the key."""
        source = sql.Literal(self.source_id)
        of_legacy = sql.SQL("source_id = {} AND legacy_table = {}").format(source, sql.Literal(table))
        for entity, kinds in self.entries.entities.items():
            scope = sql.SQL("source_id = {}").format(source) if entity == table else of_legacy
            yield self.state.name(map_name(entity)), scope, kinds["legacy_key"]
        yield from ((self.state.name(name), of_legacy, "text") for name in _WAITING)

    # --- what it reads with -------------------------------------------------------------------------------------

    @cached_property
    def entries(self) -> ExplainedEntries:
        """The maps."""
        return ExplainedEntries(self.session, self.state, self.source_id)

    @cached_property
    def legacy_side(self) -> LegacySide:
        """Legacy rows."""
        return LegacySide(self.session, self.state, self.source_id, self.specs, self.entries, self.legacy)

    @cached_property
    def target_side(self) -> TargetSide:
        """Target rows."""
        return TargetSide(self.session, self.state, self.source_id, self.specs, self.entries, self.legacy_side)

    @cached_property
    def _legacy_tables(self) -> frozenset[str]:
        return frozenset(table.name for table in legacy_schema.metadata.tables.values())

    @cached_property
    def _target_tables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(spec.name for spec in self.specs.values()))


_MAPS = ("the maps", "quarantine", "held rows", "rows left out by a rule", "rows gone from legacy", "the archive")


def _known(places: Iterable[tuple[str, str | None]]) -> list[tuple[str, str]]:
    """Each place once, without those that lead nowhere."""
    return list(dict.fromkeys((table, key) for table, key in places if key is not None))


def _is_run(name: str) -> bool:
    return name == "run_id" or name.endswith("_run")
