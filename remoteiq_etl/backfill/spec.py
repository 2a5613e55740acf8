"""What one target table is made of: the declaration that each module of assets/ ends with.

Belongs here: the shape of a declaration and what a transform is given. Does not belong here: any table's rules, how a
declaration is run (see load), or Dagster.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pandas as pd
from sqlalchemy import ColumnElement, Select, Table

from remoteiq_etl.backfill import identity
from remoteiq_etl.backfill.batch import Batch
from remoteiq_etl.backfill.disposition import Disposition
from remoteiq_etl.backfill.doors import Door
from remoteiq_etl.backfill.lookup import NOTHING, Lookup
from remoteiq_etl.backfill.values import ValueMap

EMPTY: Mapping[str, Any] = MappingProxyType({})  # no field default: Python 3.11 wants hashable ones


@dataclass(frozen=True)
class Context:
    """Everything a transform may know besides its rows. The same context and rows always give the same result.

    `lookups` are maps by (entity, legacy table); `prepared` is what this table's own decide step worked out;
    `words` an operator's additions to value maps; `optional` the optional target columns that the target has.
    """

    source: str = "default"
    organization_slug: str = "default"
    run_started_at: datetime | None = None
    lookups: Mapping[tuple[str, str], Lookup] = field(default_factory=dict)
    prepared: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    time_zones: frozenset[str] = frozenset({"UTC"})
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def namespace(self) -> UUID:
        """The namespace of all ids derived for this source."""
        return identity.source_namespace(self.source)

    @property
    def organization_id(self) -> str:
        """The id of the one organization of this source: adopted when the target had it, else derived from the slug."""
        found = self.lookup("organizations", "derived").find(pd.Series([self.organization_slug])).iloc[0]
        return found if isinstance(found, str) else self.derive("organizations", "derived", self.organization_slug)

    def lookup(self, entity: str, legacy_table: str | None = None) -> Lookup:
        """The map of an entity for one legacy table (default: the table of the same name). Empty when nothing is mapped."""
        return self.lookups.get((entity, legacy_table or entity), NOTHING)

    def derive(self, *parts: str) -> str:
        """One derived id: identity of [target table, legacy table or "derived", key …]."""
        return identity.derive(self.namespace, *parts)

    def derive_many(self, entity: str, legacy_table: str, keys: pd.Series) -> pd.Series:
        """The derived id of each legacy key."""
        derived = identity.derive_many(self.namespace, (entity, legacy_table), keys)
        return pd.Series(derived.to_numpy(), index=keys.index, dtype=derived.dtype)

    def kept_or_derived(self, entity: str, legacy_table: str, uuids: pd.Series) -> pd.Series:
        """The id of each row with a legacy uuid key."""
        return identity.kept_or_derived(self.namespace, entity, legacy_table, uuids)

    def extended(self, value_map: ValueMap) -> ValueMap:
        """A value map with the operator's words."""
        return value_map.extended(self.words.get(value_map.name, EMPTY))


Transform = Callable[[Batch, Context], Batch]


@dataclass(frozen=True)
class Follow:
    """A row of a source depends on the row of another legacy table that its `column` names by that one's `key`.

    The legacy key of that table is its primary key.
    `recorded`: (entity, legacy table, value) of recorded decisions that name further rows of that table by the same key.
    """

    column: str
    table: Table
    key: str = "id"
    recorded: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class Source:
    """One legacy table that becomes rows of this target table, streamed in batches.

    `primary`: this target accounts for each of its rows in the conservation law. `key` names the legacy key columns
    (default: the primary key); several are joined as a JSON array. `where` narrows a source that is not primary.
    `absent`: columns that the live table lacks and no rule needs; they are read as NULL.
    `follows`: other legacy tables whose changed rows concern only the rows that name them, so that these alone are read again.
    """

    table: Table
    transform: Transform
    primary: bool = True
    key: tuple[str, ...] = ()
    where: ColumnElement[bool] | None = None
    absent: frozenset[str] = frozenset()
    follows: tuple[Follow, ...] = ()

    @property
    def name(self) -> str:
        """The legacy table's name."""
        return self.table.name

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The legacy columns that make the key."""
        return self.key or tuple(column.name for column in self.table.primary_key.columns)


@dataclass(frozen=True)
class Derived:
    """Rows without a legacy row of their own: the transform gets the rows that the decide step returned, in one batch.

    `name` stands where a legacy table's name would (in the map and in derived ids). `removes`: a row that the decide step no
    longer returns is removed if it is ours, whatever the policy for rows gone from legacy; `takes` names the tables whose
    rows of this name and owner (see OWNER: the key of the row) go with it, children first. `lasts`: its rows have no cause
    in the legacy database, so that none of them can be gone from it.
    """

    transform: Transform
    name: str = "derived"
    removes: bool = False
    takes: tuple[str, ...] = ()
    lasts: bool = False


@dataclass(frozen=True)
class Decision:
    """One decision that depends on more than one legacy row, to be recorded in the map of `entity` and read from there.

    `new_key` is set where the decision itself names the row (a pairing, a resolved text). `values` are plain data; under
    SAME_AS they hold [legacy table, legacy key] of the row of the same entity that this key stands for: once that row has
    its id (adopted, derived after a collision), it is the new key, whatever was expected when the decision was taken.
    """

    legacy_table: str
    legacy_key: str
    rule: str
    values: Mapping[str, Any] = field(default_factory=dict)
    new_key: str | None = None
    entity: str | None = None  # default: the table that decides


@dataclass(frozen=True, order=True)
class Warned:
    """A decision that a person should know of: the rule that says why, and the key (as in the map) that it is about."""

    rule: str
    legacy_table: str
    legacy_key: str


def warned(rule: str, legacy_table: str, legacy_keys: Iterable[str]) -> list[Warned]:
    """The same about several keys of one table."""
    return [Warned(rule, legacy_table, key) for key in legacy_keys]


@dataclass(frozen=True)
class Decided:
    """What a decide step worked out.

    `decisions`: all that hold now, recorded ones unchanged. `rows`: the rows of each Derived source by its name (with
    KEY). `prepared`: what the transforms of this table need besides (lookups, value tables). `kept`: all rows that hold now
    of each table that the step keeps, by its name (column → value, without source and run). `warnings`: all that hold now.
    """

    decisions: list[Decision] = field(default_factory=list)
    rows: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    prepared: Mapping[str, Any] = field(default_factory=dict)
    kept: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    warnings: Sequence[Warned] = ()

    @property
    def warned(self) -> Mapping[str, int]:
        """Warnings by rule."""
        return Counter(one.rule for one in self.warnings)


@dataclass(frozen=True)
class Recorded:
    """Decisions recorded by earlier runs for one entity, by (legacy table, legacy key).

    `former`: those that are to be taken anew in this run, as they were.
    """

    decisions: Mapping[tuple[str, str], Decision] = field(default_factory=dict)
    former: Mapping[tuple[str, str], Decision] = field(default_factory=dict)

    def get(self, legacy_table: str, legacy_key: str) -> Decision | None:
        """The decision recorded for one key; None when there is none."""
        return self.decisions.get((legacy_table, legacy_key))

    def of(self, legacy_table: str) -> dict[str, Decision]:
        """The recorded decisions of one legacy table by legacy key."""
        return {key: decision for (table, key), decision in self.decisions.items() if table == legacy_table}

    def anew(self, legacy_tables: Collection[str]) -> "Recorded":
        """The same with the decisions under these names set aside."""
        former = {place: decision for place, decision in self.decisions.items() if place[0] in legacy_tables}
        return Recorded({place: one for place, one in self.decisions.items() if place not in former}, former)


@dataclass(frozen=True)
class Decide:
    """A set-wise step, run over whole legacy tables before the first write.

    `reads` are SELECTs on the legacy schema (key columns, aggregates: small), `target_reads` on the target as it is now.
    `history` names tables whose writes by us it is given, as the input of that name: run, at, key, previous, next (JSON
    texts of the written columns without secrets, previous null at the insert). `keeps` are tables of the state schema whose
    rows it returns besides, for people to read. `anew` names the decisions (Decision.legacy_table) that an operator may have
    taken anew: what they say must be able to change under a row that is there. `function(inputs, recorded, context)` gets
    all frames by name.
    """

    reads: Mapping[str, Select[Any]]
    function: Callable[[Mapping[str, pd.DataFrame], Recorded, Context], Decided]
    target_reads: Mapping[str, Select[Any]] = field(default_factory=dict)
    history: tuple[str, ...] = ()
    keeps: tuple[Table, ...] = ()
    anew: tuple[str, ...] = ()


@dataclass(frozen=True)
class Adoption:
    """How a row that is already in the target is recognised: by natural key, looked for before an id is chosen.

    `columns` are compared normalised; `among` narrows the candidates (a role must be of the organization, never a system
    role). `application_defaults` are values that the application itself writes when it creates the row: they count as empty.
    `never_filled`: columns that an adopted row does not get from us.
    """

    columns: tuple[str, ...]
    among: Mapping[str, str] = field(default_factory=dict)
    application_defaults: Mapping[str, str] = field(default_factory=dict)
    never_filled: tuple[str, ...] = ()


@dataclass(frozen=True)
class Withdrawal:
    """A row loses what it grants: its own columns, or (with `table` and `column`) the rows of another table that refer to it.

    `sets`: the value that each column gets; NOW stands for the time of the run and replaces nulls only. Rows of another
    table for which nothing is set are deleted, whoever wrote them.
    """

    table: str | None = None
    column: str | None = None
    sets: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class WhenGone:
    """What becomes of a row of ours that is gone from legacy in place of being deleted: it stays and is withdrawn.

    `always`: under every policy, not only where rows gone from legacy are to be deleted.
    """

    withdraws: tuple[Withdrawal, ...]
    always: bool = False


@dataclass(frozen=True)
class TableSpec:
    """One target table: where its rows come from and how they are written.

    `grain`: "one row per …". `lookups`: the (entity, legacy table) maps that its transforms and decide step read; they are
    its dependencies, besides `after`. `recalls`: maps that its decide step reads as earlier runs left them, so that they are
    no dependencies. `log_like`: nobody edits it; only a hash of what was last written is kept. `replaces`: rows belong to
    the owner named by the transform (see OWNER); what an owner no longer has is removed if it is ours. `no_source`: why
    the table stays empty. `time_zones`: its context needs the names of the time zones that the target knows.
    `left_alone_by`: a column whose rows belong together; those of a value under which the target has a row not ours are
    left alone as a whole. `owned_by`: the legacy table whose rows own those of a spec that replaces. `when_gone`: what is
    done about a row gone from legacy where it must not be deleted.
    `doors`: columns that change in one direction only, under every policy. `returns_with`: a row deleted in the target is
    written again when this column is set in legacy. `moves_with`: a column under which rows of a replacing table belong
    together: one leads elsewhere only as long as all of them are those last written.
    `insert_only`: columns set at the insert and never touched again; they and updated_at are no part of the comparison.
    `activity`: columns that stand outside it, too: a time, and what belongs to it; the later time wins. `checks`: further
    contract checks of the target side, column → pandera Checks. `version`: raised when a transform's meaning changes.
    `lineage`: target column → the legacy columns (table.column) behind it, besides those of equal name in the sources.
    `rules`: target column → in words how its value comes about, or why it has none. `dispositions`: table.column → what
    becomes of a legacy column that is not mapped. `asset_name`: where another declaration has the name of the target table
    (seeds are written beside migrated rows); both share its map, under different names of legacy tables.
    """

    target: Table
    grain: str
    sources: tuple[Source | Derived, ...] = ()
    decide: Decide | None = None
    lookups: tuple[tuple[str, str], ...] = ()
    recalls: tuple[tuple[str, str], ...] = ()
    after: tuple[str, ...] = ()
    adopt: Adoption | None = None
    log_like: bool = False
    replaces: bool = False
    no_source: str | None = None
    legacy_reads: tuple[Table, ...] = ()
    checks: Mapping[str, list[Any]] = field(default_factory=dict)
    activity: tuple[str, ...] = ()
    insert_only: tuple[str, ...] = ()
    lineage: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)
    dispositions: Mapping[str, Disposition] = field(default_factory=dict)
    value_maps: tuple[ValueMap, ...] = ()
    version: str = "1"
    time_zones: bool = False
    left_alone_by: str | None = None
    asset_name: str | None = None
    owned_by: Table | None = None
    when_gone: WhenGone | None = None
    doors: tuple[Door, ...] = ()
    returns_with: str | None = None
    moves_with: str | None = None

    @property
    def name(self) -> str:
        """The target table's name; it names the map, too."""
        return self.target.name

    @property
    def asset(self) -> str:
        """The name of the asset and of its module: the target table's, unless another declaration writes that one first."""
        return self.asset_name or self.name

    @property
    def streamed(self) -> tuple[Source, ...]:
        """The sources that are legacy tables."""
        return tuple(source for source in self.sources if isinstance(source, Source))

    @property
    def dependencies(self) -> tuple[str, ...]:
        """The assets that must be loaded before this one."""
        named = [entity for entity, _ in self.lookups if entity != self.asset]
        return tuple(dict.fromkeys([*named, *self.after]))

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The columns of the target's primary key."""
        return tuple(column.name for column in self.target.primary_key.columns)


OWNER = "_owner"  # legacy key of the row that owns a batch's row, where a spec replaces
CHANGED_AT = "_changed_at"  # when legacy changed the value that a door of the kind KeptWhenNewer guards
SAME_AS = "same_as"  # value of a decision: the row that its key stands for
INHERITS = "inherits"  # value of a decision: [legacy table, legacy key] of the key whose row is this key's from now on
NOW = "now()"  # in a withdrawal: the time of the run
