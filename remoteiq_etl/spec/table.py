"""What one target table is made of: the declaration that each module of assets/ ends with.

Belongs here: the shape of a declaration and what a transform is given. Does not belong here: any table's rules, how a
declaration is run (see load), or Dagster.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table

from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.column_guards import ColumnGuard
from remoteiq_etl.spec.decisions import Decide
from remoteiq_etl.spec.dispositions import Disposition
from remoteiq_etl.spec.transform_context import Context
from remoteiq_etl.spec.value_map import ValueMap

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
    (default: the primary key); several are joined as a JSON array.
    `absent`: columns that the live table lacks and no rule needs; they are read as NULL.
    `follows`: other legacy tables whose changed rows concern only the rows that name them, so that these alone are read again.
    """

    table: Table
    transform: Transform
    primary: bool = True
    key: tuple[str, ...] = ()
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
class Revocation:
    """A row loses what it grants: its own columns, or (with `table` and `column`) the rows of another table that refer to it.

    `sets`: the value that each column gets; NOW stands for the time of the run and replaces nulls only. Rows of another
    table for which nothing is set are deleted, whoever wrote them.
    """

    table: str | None = None
    column: str | None = None
    sets: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OnDelete:
    """What becomes of a row of ours that is gone from legacy in place of being deleted: it stays and is withdrawn.

    `always`: under every policy, not only where rows gone from legacy are to be deleted.
    """

    revokes: tuple[Revocation, ...]
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
    `activity`: columns that stand outside it, too: a time, and what belongs to it; the later time wins.
    `version`: raised when a transform's meaning changes.
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
    activity: tuple[str, ...] = ()
    insert_only: tuple[str, ...] = ()
    lineage: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)
    dispositions: Mapping[str, Disposition] = field(default_factory=dict)
    value_maps: tuple[ValueMap, ...] = ()
    version: str = "1"
    time_zones: bool = False
    unmanaged_by: str | None = None
    asset_name: str | None = None
    owned_by: Table | None = None
    on_delete: OnDelete | None = None
    column_guards: tuple[ColumnGuard, ...] = ()
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

    def source(self, legacy_table: str) -> Source | None:
        """The source that streams this legacy table; None: there is none."""
        return next((one for one in self.sources if isinstance(one, Source) and one.name == legacy_table), None)

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


CHANGED_AT = "_changed_at"  # when legacy changed the value that a timed column guard is about


NOW = "now()"  # in a withdrawal: the time of the run
