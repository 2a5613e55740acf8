"""The target and the profile that the settings name, opened.

Belongs here: that. Does not belong here: what is done there (see application).
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from remoteiq_etl.bundled_server import databases as bundled
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.application.application import ApplicationTarget
from remoteiq_etl.postgres.database import Database
from remoteiq_etl.postgres.session_checks import refuse_shared
from remoteiq_etl.state.schema import State
from schemas.application import PROFILES


@contextmanager
def opened(settings: Settings) -> Iterator[ApplicationTarget]:
    """What the configured application needs in the configured target."""
    with bundled.databases(settings) as databases:
        target = Database(databases.target, settings.target_schema)
        with closing(target.connect()) as session:
            refuse_shared(session)
            state, wanted = State(target, settings.state_schema), settings.application
            yield ApplicationTarget(
                session, state, PROFILES[wanted.profile], settings.organization_slug, wanted.owner, wanted.granted_keys
            )
