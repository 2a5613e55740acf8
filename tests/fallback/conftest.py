"""The edge-case database, migrated and cut over."""

from collections.abc import Iterator

import pytest

from tests.support.cutting_over import Ready
from tests.support.falling_back import cut_over_edge_cases
from tests.support.server import Server


@pytest.fixture(scope="module")
def cut(server: Server, edge_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """A copy of its own for each module: the new application is in use, and has written nothing yet."""
    ready = cut_over_edge_cases(server, edge_template, tmp_path_factory.mktemp("home"))
    yield ready
    ready.legacy.drop()
    ready.target.drop()
