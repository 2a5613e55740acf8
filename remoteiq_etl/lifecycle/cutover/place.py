"""What a cut-over works with: sessions on both databases, the source, and a connection that may fence the legacy database.

Belongs here: opening that, and whether both sides are schemas of one database. Does not belong here: any step.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from remoteiq_etl.config.cutover import CutOverSettings
from remoteiq_etl.errors import CutOverError
from remoteiq_etl.lifecycle.migration import Migration
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state import cutovers
from remoteiq_etl.state.cutovers import CutOverRecord
from remoteiq_etl.state.schema import State

SQL = statements(__file__)


@dataclass(frozen=True)
class CutOverPlace:
    """Both databases of a migration, and the connection to legacy that may change more than rows."""

    migration: Migration
    admin: Database = field(repr=False)

    @classmethod
    def of(cls, migration: Migration) -> "CutOverPlace":
        """The place that the settings describe; without an admin's URL the legacy one is tried."""
        url = migration.settings.legacy_admin_url or migration.legacy.url
        observer = migration.legacy.observer
        return cls(migration, Database(url, migration.settings.legacy_schema, observer=observer))

    @property
    def settings(self) -> CutOverSettings:
        """How the cut-over goes."""
        return self.migration.settings.cutover

    @property
    def source(self) -> str:
        """The name of the source."""
        return self.migration.settings.source

    @property
    def state(self) -> State:
        """The state schema."""
        return State(self.migration.target, self.migration.settings.state_schema)


@dataclass(frozen=True)
class CutOverContext:
    """An open place. `control`: a session on the target; `admin`: one on legacy that may fence it."""

    place: CutOverPlace
    state: State
    source_id: int
    control: Session
    admin: Session

    @cached_property
    def one_database(self) -> bool:
        """Whether both sides are schemas of one database: a lock of one session is then seen by the other."""
        key = self.control.value("SELECT txid_current()")
        with self.control.transaction():
            self.control.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [_NAME, key])
            return bool(self.admin.value(SQL["is_one"], {"name": _NAME, "key": key}))

    @property
    def of_source(self) -> tuple[Session, State, int]:
        """What the store of stages asks for first."""
        return self.control, self.state, self.source_id

    @property
    def last(self) -> CutOverRecord | None:
        """The last cut-over of the source."""
        return cutovers.last(self.control, self.state, self.source_id)


_NAME = "remoteiq_etl.one_database"


@contextmanager
def opened(place: CutOverPlace) -> Iterator[CutOverContext]:
    """The place with its sessions. Raises CutOverError when the source was never migrated to this target."""
    with ExitStack() as stack:
        control = _connected(stack, place.migration.target)
        admin = _connected(stack, place.admin)
        state = place.state
        if state.exists(control):
            state.ensure(control)
            if (source_id := store.source_of(control, state, place.source)) is not None:
                yield CutOverContext(place, state, source_id, control, admin)
                return
    raise CutOverError(
        f"the source {place.source!r} was never migrated to this target. Check REMOTEIQ_SOURCE and REMOTEIQ_TARGET_URL."
    )


def _connected(stack: ExitStack, database: Database) -> Session:
    session = database.connect()
    stack.callback(session.close)
    return session
