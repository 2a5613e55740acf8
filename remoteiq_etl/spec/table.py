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
    """A row of a source depends on a row of another legacy table: where that one changes, the row is read again."""

    #: The column of the source that names the other row.
    column: str
    #: The other legacy table; its legacy key is its primary key.
    table: Table
    #: The column of the other table that is named.
    key: str = "id"
    #: (entity, legacy table, value) of recorded decisions that name further rows of the other table by the same key.
    recorded: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class Source:
    """One legacy table that becomes rows of this target table, streamed in batches."""

    #: The legacy table.
    table: Table
    #: Turns a batch of its rows into target rows and outcomes.
    transform: Transform
    #: Whether this target accounts for each of its rows in the conservation law: one target does for each legacy table.
    primary: bool = True
    #: The columns of the legacy key, joined as a JSON array where there are several; default: the primary key.
    key: tuple[str, ...] = ()
    #: Columns that the live table lacks and no rule needs; they are read as NULL.
    absent: frozenset[str] = frozenset()
    #: Other legacy tables whose changed rows concern only the rows that name them, so that these alone are read again.
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
    """Rows without a legacy row of their own, in one batch."""

    #: Turns the rows that the decide step returned under `name` into target rows and outcomes.
    transform: Transform
    #: Stands where a legacy table's name would, in the map and in derived ids.
    name: str = "derived"
    #: A row that the decide step no longer returns is removed if it is ours, whatever the policy for rows deleted at source.
    removes: bool = False
    #: Tables whose rows of this name and owner (see OWNER: the key of the row) go with a removed row, children first.
    takes: tuple[str, ...] = ()
    #: Its rows have no cause in the legacy database, so that none of them can be deleted at source.
    lasts: bool = False


@dataclass(frozen=True)
class Adoption:
    """How a row that is already in the target is recognised: by natural key, looked for before an id is chosen."""

    #: The natural key, compared normalised.
    columns: tuple[str, ...]
    #: Column → value that a candidate must have: a role must be of the organization, never a system role.
    among: Mapping[str, str] = field(default_factory=dict)
    #: Column → the value that the application itself writes when it creates the row: it counts as empty.
    application_defaults: Mapping[str, str] = field(default_factory=dict)
    #: Columns that an adopted row does not get from us.
    never_filled: tuple[str, ...] = ()


@dataclass(frozen=True)
class Revocation:
    """A row loses what it grants: its own columns, or the rows of another table that refer to it."""

    #: The other table; None: the row itself.
    table: str | None = None
    #: The column of the other table that refers to the row.
    column: str | None = None
    #: Column → the value that it gets; NOW is the time of the run and replaces nulls only. Rows of another table for which
    #: nothing is set are deleted, whoever wrote them.
    sets: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OnDelete:
    """What becomes of a row of ours that was deleted at source and must not be deleted: it stays, and is revoked."""

    #: All that the row loses.
    revokes: tuple[Revocation, ...]
    #: Under every policy, not only where rows deleted at source are to be deleted.
    always: bool = False


@dataclass(frozen=True)
class TableSpec:
    """One target table: where its rows come from and how they are written."""

    #: The table that is written.
    target: Table
    #: What one of its rows stands for: "one row per …".
    grain: str

    # --- where the rows come from ---

    #: What is turned into its rows, in this order.
    sources: tuple[Source | Derived, ...] = ()
    #: The step that decides over whole legacy tables before the first row is written; None: every row speaks for itself.
    decide: Decide | None = None
    #: Why the table stays empty, where it has no source.
    no_source: str | None = None

    # --- what must be known first ---

    #: The maps, as (entity, legacy table), that its transforms and its decide step read: its dependencies, besides `after`.
    lookups: tuple[tuple[str, str], ...] = ()
    #: Maps that its decide step reads as earlier runs left them, so that they are no dependencies.
    recalls: tuple[tuple[str, str], ...] = ()
    #: Further assets that must be loaded before this one.
    after: tuple[str, ...] = ()
    #: Legacy tables that it reads besides its sources.
    legacy_reads: tuple[Table, ...] = ()
    #: Its context needs the names of the time zones that the target knows.
    time_zones: bool = False
    #: The options of a run that its transforms and its decide step read: it is given these alone.
    run_options: tuple[str, ...] = ()

    # --- how the rows are written ---

    #: How a row that is in the target already is recognised; None: it never is.
    adopt: Adoption | None = None
    #: Nobody edits it; only a hash of what was last written is kept.
    log_like: bool = False
    #: Columns set at the insert and never touched again; they and updated_at are no part of the comparison.
    insert_only: tuple[str, ...] = ()
    #: Columns outside the comparison as well: a time, and what belongs to it; the later time wins.
    activity: tuple[str, ...] = ()
    #: Columns that change in one direction only, under every policy.
    column_guards: tuple[ColumnGuard, ...] = ()

    # --- which rows are ours, and for how long ---

    #: Rows belong to the owner that the transform names (see OWNER): what an owner no longer has is removed if it is ours.
    replaces: bool = False
    #: The legacy table whose rows own those of a table that replaces.
    owned_by: Table | None = None
    #: A column under which rows of a table that replaces belong together: one leads elsewhere only as long as all of them
    #: are those last written.
    moves_with: str | None = None
    #: The key, of one column, is made of a value that legacy may change; the row moves with it.
    moving_key: bool = False
    #: A column whose rows belong together: those of a value under which the target has a row not ours are left unmanaged.
    unmanaged_by: str | None = None
    #: The column that says to whom a row of the table grants something: a row not ours that names one of ours is told first.
    grants_to: str | None = None
    #: What is done about a row deleted at source where it must not be deleted; None: the policy of the run.
    on_delete: OnDelete | None = None
    #: A row deleted in the target is written again when this column is set in legacy.
    returns_with: str | None = None

    # --- what is told about it ---

    #: Target column → the legacy columns (table.column) behind it, besides those of equal name in the sources.
    lineage: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Target column → in words how its value comes about, or why it has none.
    rules: Mapping[str, str] = field(default_factory=dict)
    #: table.column → what becomes of a legacy column that is not mapped.
    dispositions: Mapping[str, Disposition] = field(default_factory=dict)
    #: The tables of words that its transforms use; an operator may extend them.
    value_maps: tuple[ValueMap, ...] = ()
    #: Raised when a transform's meaning changes.
    version: str = "1"
    #: The asset's name where another declaration has that of the target table (seeds are written beside migrated rows);
    #: both share its map, under different names of legacy tables.
    asset_name: str | None = None

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


#: Legacy key of the row that owns a batch's row, where a table replaces.
OWNER = "_owner"

#: When legacy changed the value that a column guard of the kind KeptWhenNewer keeps.
CHANGED_AT = "_changed_at"

#: In a revocation: the time of the run.
NOW = "now()"
