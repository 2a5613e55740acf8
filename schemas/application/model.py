"""What a profile is made of: one class for each kind of part that an application may need.

Belongs here: these classes and the names of their parts. Does not belong here: a part itself (see present).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Table


@dataclass(frozen=True)
class ColumnPart:
    """A further column of a table of the redesign; nullable."""

    table: str
    column: str
    type: str = "text"

    @property
    def name(self) -> str:
        """The part in words."""
        return f"column {self.table}.{self.column}"


@dataclass(frozen=True)
class TypePart:
    """A column of the redesign that is text in the application's databases."""

    table: str
    column: str

    @property
    def name(self) -> str:
        """The part in words."""
        return f"type {self.table}.{self.column}"


@dataclass(frozen=True)
class NullablePart:
    """A column of the redesign that may be null in the application's databases."""

    table: str
    column: str

    @property
    def name(self) -> str:
        """The part in words."""
        return f"nullable {self.table}.{self.column}"


@dataclass(frozen=True)
class LabelPart:
    """A further label of an enum type."""

    enum: str
    label: str

    @property
    def name(self) -> str:
        """The part in words."""
        return f"label {self.enum}.{self.label}"


@dataclass(frozen=True)
class TablePart:
    """A table beside those of the redesign."""

    table: Table

    @property
    def name(self) -> str:
        """The part in words."""
        return f"table {self.table.name}"


@dataclass(frozen=True)
class CastPart:
    """An assignment cast from text to an enum type. `words`: by word in capitals the label that it stands for."""

    enum: str
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The part in words."""
        return f"cast {self.enum}"

    @property
    def function(self) -> str:
        """The function behind it."""
        return f"application_{self.enum}"


@dataclass(frozen=True)
class TriggerPart:
    """A trigger before each inserted row of a table; `body`: of its function in PL/pgSQL, {schema} is that of the target."""

    table: str
    trigger: str
    body: str

    @property
    def name(self) -> str:
        """The part in words."""
        return f"trigger {self.table}.{self.trigger}"


@dataclass(frozen=True)
class IndexPart:
    """A unique index of a table of the redesign."""

    table: str
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        """The part in words."""
        return f"index {self.table} ({', '.join(self.columns)})"

    @property
    def index(self) -> str:
        """What the index is called."""
        return f"uq_{self.table}_{'_'.join(self.columns)}"[:63]


@dataclass(frozen=True)
class PairColumn:
    """A column of the application's table, and where the redesign has its value: at a path in a JSON column.

    `otherwise`: what stands for a missing value, as SQL about the row {row} of the redesign.
    """

    column: str
    document: str
    path: tuple[str, ...]
    otherwise: str | None = None


@dataclass(frozen=True)
class PairPart:
    """A table of the application that says the same as rows of the redesign: a change of either shows in the other at once.

    `source`: the table of the redesign. Which of its rows: see the statements of its kind.
    """

    table: Table
    source: str
    columns: tuple[PairColumn, ...] = ()

    @property
    def name(self) -> str:
        """The part in words."""
        return f"pair {self.table.name}, {self.source}"

    @property
    def trigger(self) -> str:
        """The trigger on each side, and the beginning of the names of its functions."""
        return f"application_{self.table.name}"


@dataclass(frozen=True)
class PermissionPart:
    """A permission that somebody wants to be there."""

    key: str

    @property
    def name(self) -> str:
        """The part in words."""
        return f"{PERMISSION} {self.key}"


@dataclass(frozen=True)
class GrantPart:
    """A grant of a permission to a migrated role, by its id."""

    role: str
    key: str

    @property
    def name(self) -> str:
        """The part in words."""
        return f"{GRANT} {self.key} to {self.role}"


@dataclass(frozen=True)
class OwnerPart:
    """A table that belongs to a role."""

    table: str
    role: str

    @property
    def name(self) -> str:
        """The part in words."""
        return f"{OWNER} {self.table}"


OWNER, PERMISSION, GRANT = "owner", "permission", "grant"
"""How the names of such parts begin."""

Part = (
    ColumnPart
    | TypePart
    | NullablePart
    | LabelPart
    | TablePart
    | CastPart
    | TriggerPart
    | IndexPart
    | PairPart
    | OwnerPart
    | PermissionPart
    | GrantPart
)


@dataclass(frozen=True)
class Profile:
    """All that a version of the application needs, in the order in which it is made."""

    name: str
    parts: tuple[Part, ...]
    #: Tables that the application alters at its first use, so that its role must own them.
    owned: tuple[str, ...] = ()
    #: What legacy allowed to everyone, and the beginning of the keys that the application asks for now.
    own_requests: tuple[str, ...] = ()
    own_keys: str = ""
