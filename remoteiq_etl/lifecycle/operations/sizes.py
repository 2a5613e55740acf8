"""What the migration takes up in the target, in all and for each legacy row: to plan the room for a larger installation.

Belongs here: measuring. Does not belong here: whether there is room (see drift.surroundings), showing it.
"""

from dataclasses import dataclass

from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.schema import State
from schemas import target

SQL = statements(__file__)


@dataclass(frozen=True)
class PartSize:
    """One part of the target database: its bytes with indexes and TOAST, in all and for each legacy row that was read."""

    part: str
    tables: int
    bytes: int
    per_row: float | None


def sizes(session: Session, state: State, source_id: int) -> list[PartSize]:
    """The parts in the order of the way of a row. Legacy rows are those of each table as it was last read."""
    parameters = {
        "target": session.database.schema,
        "state": state.schema,
        "tables": [table.name for table in target.metadata.tables.values()],
        "source_id": source_id,
    }
    return session.objects(PartSize, SQL["parts"].format(**state.names), parameters)
