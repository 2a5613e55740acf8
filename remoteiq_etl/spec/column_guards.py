"""One-way doors: changes of legacy that a target row never takes, under every policy.

A door names a column and says, in SQL over the staged row (s), the target row (t) and the map (m), when it is shut: then
the target's value stands in for the incoming one, and the rest of the row goes on. Belongs here: the vocabulary that a
declaration chooses from. Does not belong here: which table has which door (see assets), or the comparison (see merge).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Protocol

from psycopg import sql


class Row(Protocol):
    """The expressions of one column that a door is made of."""

    def incoming_of(self, column: str) -> sql.Composable:
        """What legacy gives, in the column's type."""

    def edited_in_target(self, column: str) -> sql.Composable:
        """Whether the target's value is another than the one last written."""

    def other_table(self, table: str) -> sql.Identifier:
        """Another table of the target."""


@dataclass(frozen=True)
class ColumnGuard(ABC):
    """One column that changes in one direction only.

    `timed`: it compares the time at which legacy changed the value (`s._changed_at`); the transform says it, see CHANGED_AT.
    """

    timed: ClassVar[bool] = False

    column: str

    @abstractmethod
    def shut(self, row: Row) -> sql.Composable:
        """The condition under which the target's value stays. Must be false, not null, where it does not hold."""

    def overrules(self, row: Row) -> sql.Composable:
        """The condition under which an edit in the target does not keep the incoming value out."""
        return sql.SQL("false")

    @property
    def value(self) -> sql.Composable:
        """The target's value."""
        return sql.SQL("t.{}").format(sql.Identifier(self.column))


@dataclass(frozen=True)
class OnceSet(ColumnGuard):
    """A value that is there is never emptied: what is revoked stays revoked."""

    def shut(self, row: Row) -> sql.Composable:
        """Where legacy would empty it."""
        return sql.SQL("({} IS NOT NULL AND {} IS NULL)").format(self.value, row.incoming_of(self.column))


@dataclass(frozen=True)
class NeverBack(ColumnGuard):
    """A row that has reached this state never leaves it: who is disabled stays disabled."""

    state: str | bool

    def shut(self, row: Row) -> sql.Composable:
        """Where legacy would leave the state."""
        return sql.SQL("coalesce({} = {} AND {} IS DISTINCT FROM {}, false)").format(
            self.value, sql.Literal(self.state), row.incoming_of(self.column), sql.Literal(self.state)
        )


@dataclass(frozen=True)
class KeptWhenEdited(ColumnGuard):
    """A value that was changed in the target is not replaced: a used recovery code does not return."""

    def shut(self, row: Row) -> sql.Composable:
        """Where the target changed it and legacy differs."""
        return sql.SQL("({} AND {} IS DISTINCT FROM {})").format(
            row.edited_in_target(self.column), self.value, row.incoming_of(self.column)
        )


@dataclass(frozen=True)
class NeverEarlier(ColumnGuard):
    """A time never goes back."""

    def shut(self, row: Row) -> sql.Composable:
        """Where legacy would set it back."""
        incoming = row.incoming_of(self.column)
        return sql.SQL("({0} IS NOT NULL AND ({1} IS NULL OR {0} > {1}))").format(self.value, incoming)


@dataclass(frozen=True)
class NeverBeyondLegacy(ColumnGuard):
    """A time in the target that is later than the one that legacy has set since gives way to it, edited or not."""

    def shut(self, row: Row) -> sql.Composable:
        """Never: legacy's time is written."""
        return sql.SQL("false")

    def overrules(self, row: Row) -> sql.Composable:
        """Where the target's is later than what legacy gives."""
        return sql.SQL("coalesce({} > {}, false)").format(self.value, row.incoming_of(self.column))


@dataclass(frozen=True)
class KeptWhenNewer(ColumnGuard):
    """A value that the target has changed later than legacy did is not replaced.

    `table`.`time` says when the target did, in the row whose `key` is the id of this one; the transform says when legacy
    did, under CHANGED_AT (see spec).
    """

    timed: ClassVar[bool] = True

    table: str
    key: str
    time: str

    def shut(self, row: Row) -> sql.Composable:
        """Where both differ and the target's change is the later one."""
        return sql.SQL(
            "({value} IS DISTINCT FROM {incoming} AND EXISTS (SELECT FROM {table} AS o WHERE o.{key} = t.id"
            " AND (o.{time} > s._changed_at OR o.{time} IS NOT NULL AND s._changed_at IS NULL)))"
        ).format(
            value=self.value,
            incoming=row.incoming_of(self.column),
            table=row.other_table(self.table),
            key=sql.Identifier(self.key),
            time=sql.Identifier(self.time),
        )
