"""The edge-case database, migrated, with its legacy-shaped views."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from remoteiq_etl.inverse.views import LegacyViews
from remoteiq_etl.state.schema import State
from tests.support.migrating import Migration


@contextmanager
def opened(migration: Migration) -> Iterator[LegacyViews]:
    """The views of the one source of a migration, with a session on its target."""
    target = migration.plan.target
    with closing(target.connect()) as session:
        yield LegacyViews(session, State(target, migration.plan.state_schema), migration.plan.source, 1)


@pytest.fixture(scope="module")
def shown(settled: Migration) -> Migration:
    """A migration of the edge cases with views. What a test changes it takes back."""
    with opened(settled) as views:
        views.install()
    return settled
