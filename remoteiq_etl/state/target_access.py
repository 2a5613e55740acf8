"""What is in reach of a piece of the engine that works on the target alone: an open run has it, and so has an undo.

Belongs here: that list. Does not belong here: how it is opened (see run, source_lock).
"""

from typing import Protocol

from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.schema import State
from remoteiq_etl.state.sources import SourceRecord


class TargetAccess(Protocol):
    """A session on the target, and what is known of the source and of the tables."""

    @property
    def session(self) -> Session:
        """The session on the target."""

    @property
    def state(self) -> State:
        """The state schema."""

    @property
    def source_record(self) -> SourceRecord:
        """The source."""

    @property
    def target(self) -> Database:
        """The target database."""

    def spec(self, entity: str) -> TableSpec:
        """The declaration of an asset."""

    def has_target(self, table: str) -> bool:
        """Whether the target has this table."""
