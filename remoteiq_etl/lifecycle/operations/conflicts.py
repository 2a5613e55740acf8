"""The conflict list for people: what legacy would change and the target keeps, and deciding about it.

Belongs here: reading the list and recording decisions. Does not belong here: finding conflicts and carrying decisions out,
which runs do (remoteiq_etl.backfill.load.conflicts); showing them (the command line).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg import sql

from remoteiq_etl.backfill.load.conflicts import ELSEWHERE, GUARD
from remoteiq_etl.errors import ConflictError
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.schema import State

SQL = statements(__file__)


class Resolution(StrEnum):
    """What is to become of a conflict: the target's values stay, or legacy's are written."""

    KEEP = "keep"
    TAKE = "take"


@dataclass(frozen=True)
class Conflict:
    """One target row that legacy would change, for one reason. The three sides hold no secrets.

    `decision` is an operator's and waits for the next run while `resolution` is None.
    """

    id: int
    table: str
    new_key: str
    legacy_table: str
    legacy_key: str
    reason: str
    columns: list[str]
    last_written: Any
    current: Any
    incoming: Any
    first_run: int
    last_run: int
    found_at: datetime
    decision: str | None
    decision_reason: str | None
    decided_at: datetime | None
    resolution: str | None
    resolved_run: int | None

    @property
    def status(self) -> str:
        """open, decided (until the next run), or how it was resolved."""
        if self.resolved_run is not None:
            return f"{self.resolution} (run {self.resolved_run})"
        return "open" if self.decision is None else f"{self.decision}: the next run does it"


@dataclass(frozen=True)
class ConflictList:
    """The conflicts of one source of one target."""

    session: Session
    state: State
    source_id: int

    @classmethod
    def of(cls, session: Session, state: State, source: str) -> "ConflictList | None":
        """The list of a source; None when no run of it ever began. An older state schema is upgraded."""
        if not state.exists(session):
            return None
        state.ensure(session)
        find = sql.SQL("SELECT id FROM {} WHERE name = %s").format(state.name("sources"))
        found = session.value(find, [source])
        return None if found is None else cls(session, state, int(found))

    def find(
        self, tables: Collection[str] | None = None, key: str | None = None, *, only_open: bool = True
    ) -> list[Conflict]:
        """The conflicts of these target tables (None: all), of one row if its new or legacy key is given."""
        query = SQL["conflict_list"].format(conflicts=self.state.name("conflicts"))
        parameters = {
            "source_id": self.source_id,
            "tables": list(tables) if tables else None,
            "key": key,
            "only_open": only_open,
        }
        return self.session.objects(Conflict, query, parameters)

    def decide(self, conflicts: Sequence[Conflict], decision: Resolution, reason: str | None = None) -> list[Conflict]:
        """Record a decision; the next run carries it out. Returns those that it is about.

        What a one-way door refuses, or belongs to another source, cannot be taken: those are left out, and ConflictError is
        raised when nothing is left.
        """
        chosen = [one for one in conflicts if decision == Resolution.KEEP or one.reason not in (GUARD, ELSEWHERE)]
        if conflicts and not chosen:
            first = conflicts[0]
            raise ConflictError(
                f"{first.table} {first.new_key}: what legacy gives (columns: {', '.join(first.columns)}) cannot be taken,"
                f" whoever wins ({first.reason}). Make the change in the new application if it is meant, or keep what the"
                " target has (--keep)."
            )
        statement = SQL["decide_conflicts"].format(conflicts=self.state.name("conflicts"))
        parameters = {"decision": decision.value, "reason": reason, "ids": [one.id for one in chosen]}
        self.session.execute(statement, parameters)
        return chosen
