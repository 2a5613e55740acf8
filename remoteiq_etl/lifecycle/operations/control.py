"""The orders of the configured source, for people who give them from a command line or from Dagster.

Belongs here: reaching them, also before the first run. Does not belong here: what an order means (remoteiq_etl.state.orders).
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from remoteiq_etl.bundled_server import databases as bundled
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.postgres.database import Database
from remoteiq_etl.state.orders import Control
from remoteiq_etl.state.schema import State
from remoteiq_etl.state.sources import register


@contextmanager
def control(settings: Settings) -> Iterator[Control]:
    """The orders of the configured source, which need not have had a run yet."""
    with bundled.databases(settings) as databases:
        database = Database(databases.target, settings.target_schema)
        with closing(database.connect()) as session:
            state = State(database, settings.state_schema)
            state.ensure(session)
            source_record = register(session, state, settings.source, settings.organization_slug)
            yield Control(session, state, source_record.id)
