"""What a step would change, as a script that psql runs as it stands: a session that asks, and writes down in place of writing.

Belongs here: that session, and the text of the script. Does not belong here: any statement of a step.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from remoteiq_etl.postgres.database import Session

#: How a statement that asks begins, after the comments before it; the other one changes something all the same.
_CHANGES = re.compile(r"\bsetval\(")
_ASKS = re.compile(r"(?:\s|--[^\n]*\n)*(?:SELECT|SHOW|WITH)\b", re.IGNORECASE)

Parameters = Sequence[Any] | dict[str, Any] | None


@dataclass
class Script:
    """Statements in their order. `whole`: all of them are one transaction; else each stands for itself."""

    title: str
    whole: bool
    statements: list[str] = field(default_factory=list)

    def add(self, statement: str) -> None:
        """Take a statement, or several that are joined."""
        self.statements.append(statement.strip().rstrip(";"))

    def __str__(self) -> str:
        """The script. A statement ends with a semicolon, and the first error ends the script."""
        head = [f"-- {self.title}", "\\set ON_ERROR_STOP on"]
        body = [f"{statement};" for statement in self.statements]
        lines = [*head, "BEGIN;", *body, "COMMIT;"] if self.whole else [*head, *body]
        return "\n\n".join(lines) + "\n"


class ScriptSession(Session):
    """A session that reads as any other and keeps what it is told to write: nothing is changed, and no right is needed for it."""

    def __init__(self, session: Session, script: Script) -> None:
        super().__init__(session.database, session.connection, session.pid)
        self.script = script

    @classmethod
    def beside(cls, session: Session, script: Script) -> "ScriptSession":
        """One on the connection of another session."""
        return cls(session, script)

    def execute(self, statement: str | sql.Composable, parameters: Parameters = None) -> psycopg.Cursor[TupleRow]:
        """Ask, or keep the statement with its parameters in it; what is kept gives no rows."""
        text = self._text(statement, parameters is not None)
        if _ASKS.match(text) and not _CHANGES.search(text):
            return super().execute(statement, parameters)
        self.script.add(self._merged(text, parameters))
        return self.connection.cursor()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction of the script, where the whole of it is none."""
        if not self.script.whole:
            self.script.add("BEGIN")
        yield
        if not self.script.whole:
            self.script.add("COMMIT")

    def execute_many(self, statement: str | sql.Composable, rows: Sequence[Sequence[Any]]) -> None:
        """Keep the statement once for each row."""
        text = self._text(statement, True)
        for row in rows:
            self.script.add(self._merged(text, row))

    def _merged(self, text: str, parameters: Sequence[Any] | Mapping[str, Any] | None) -> str:
        if parameters is None:
            return text
        return psycopg.ClientCursor(self.connection).mogrify(text, parameters)
