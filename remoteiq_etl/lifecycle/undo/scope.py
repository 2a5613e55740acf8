"""What an undo is about: one run, some tables, or everything. There is no default.

Belongs here: the choice, and its conditions as SQL. Does not belong here: what follows from it (see judge).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from remoteiq_etl.errors import UndoError
from remoteiq_etl.spec.dependencies import reached
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.references import Reference


@dataclass(frozen=True)
class UndoScope:
    """Exactly one of: `run` (what this run wrote, in all tables), `assets` (what all runs wrote of these), `everything`."""

    run: int | None = None
    assets: tuple[str, ...] = ()
    everything: bool = False

    def __post_init__(self) -> None:
        """Raises UndoError when it names nothing, or more than one thing."""
        if [self.run is not None, bool(self.assets), self.everything].count(True) != 1:
            raise UndoError("an undo is about one run, or some tables, or everything: name exactly one of these.")

    def __str__(self) -> str:
        """The scope in words."""
        if self.run is not None:
            return f"run {self.run}"
        return "everything" if self.everything else f"all runs of {', '.join(self.assets)}"

    def has(self, asset: str) -> bool:
        """Whether rows of an asset belong to it."""
        return not self.assets or asset in self.assets

    def of_run(self, column: str) -> sql.Composable:
        """Whether a write of this run (a column or expression) belongs to it."""
        if self.run is None:
            return sql.SQL("true")
        return sql.SQL("({} = {})").format(sql.SQL(column), sql.Literal(self.run))

    def with_dependents(
        self, specs: Mapping[str, TableSpec], referring: Mapping[str, Sequence[Reference]]
    ) -> "UndoScope":
        """These assets, and those of all tables of ours that refer to theirs, at any depth."""

        def further(asset: str) -> Iterator[str]:
            spec = specs.get(asset)
            names = {one.table for one in referring.get(spec.name, ())} & referring.keys() if spec else set()
            return (other for other, spec in specs.items() if spec.name in names)

        found = reached(self.assets, further)
        return self if found == {*self.assets} else UndoScope(assets=tuple(sorted(found)))

    def as_json(self) -> dict[str, Any]:
        """The scope as plain data."""
        return {"run": self.run, "assets": list(self.assets), "everything": self.everything}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "UndoScope":
        """The scope that `as_json` gave. Raises UndoError, KeyError and TypeError for other data."""
        return cls(found["run"], tuple(found["assets"]), found["everything"])
