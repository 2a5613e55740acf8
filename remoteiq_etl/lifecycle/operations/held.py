"""The rows that wait for a parent (held), as people look at them: which, for what, and what has become of that.

Belongs here: reading them. Does not belong here: holding and releasing rows (`remoteiq_etl.backfill`), showing them (the
command line).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.schema import State

SQL = statements(__file__)


@dataclass(frozen=True)
class WaitingRow:
    """One legacy row that waits for a target table until its parent is there.

    `parent_rule`: which rule has stopped the parent, where it is in quarantine; `parent_waits`: whether it waits itself.
    Where neither is so, no run has found it in the legacy database.
    """

    parent_table: str
    parent_key: str
    parent_rule: str | None
    parent_waits: bool
    table: str
    legacy_table: str
    legacy_key: str
    column: str
    attempts: int
    since: datetime
    last_run: int


def held_rows(session: Session, state: State, source_id: int, tables: Collection[str] = ()) -> list[WaitingRow]:
    """The open rows of these tables (target or legacy ones, none named meaning all), by parent; the parents of most rows first."""
    parameters = {"source_id": source_id, "tables": list(tables) or None}
    return session.objects(WaitingRow, SQL["rows"].format(**state.names), parameters)
