"""Reading the state schema and the target for the report: one snapshot for all of them.

Belongs here: how a statement is asked. Does not belong here: what the answers mean.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from psycopg import sql

from remoteiq_etl.postgres.database import Session
from remoteiq_etl.state.schema import State

_Row = TypeVar("_Row")


@dataclass(frozen=True)
class Reader:
    """One source of one target, to be read. `source` is its name, `source_id` its number in the state schema."""

    session: Session
    state: State
    source: str
    source_id: int

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let everything inside see the target at one moment, and write nothing."""
        with self.session.transaction():
            self.session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield

    def ask(
        self, statement: sql.SQL, parameters: dict[str, Any] | None = None, **identifiers: sql.Composable
    ) -> list[Any]:
        """The rows of one statement, as tuples."""
        return self.session.rows(self.statement(statement, identifiers), self._parameters(parameters))

    def ask_for(
        self,
        row_type: type[_Row],
        statement: sql.SQL,
        parameters: dict[str, Any] | None = None,
        **identifiers: sql.Composable,
    ) -> list[_Row]:
        """The same as objects, made of the columns by name."""
        return self.session.objects(row_type, self.statement(statement, identifiers), self._parameters(parameters))

    def target(self, table: str) -> sql.Identifier:
        """The name of a target table."""
        return self.session.database.table(table)

    def statement(self, statement: sql.SQL, identifiers: Mapping[str, sql.Composable]) -> sql.Composed:
        """One statement with the names that it has placeholders for."""
        return statement.format(**{**self.state.names, "map_all": self.state.name("map_all"), **identifiers})

    def _parameters(self, more: dict[str, Any] | None) -> dict[str, Any]:
        return {"source_id": self.source_id, "source": self.source, **(more or {})}
