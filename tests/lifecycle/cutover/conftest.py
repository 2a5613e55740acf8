"""Migrations that are ready to be cut over."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cutting_over import Ready, one_database, two_databases
from tests.support.server import Server

Make = Callable[..., Ready]


@pytest.fixture
def made(server: Server) -> Iterator[list[Ready]]:
    """What a test has had made, dropped afterwards."""
    found: list[Ready] = []
    yield found
    for ready in found:
        for database in {ready.legacy.name: ready.legacy, ready.target.name: ready.target}.values():
            database.drop()


@pytest.fixture
def two(server: Server, made: list[Ready], tmp_path: Path) -> Make:
    """Makes migrations of two databases."""

    def make(**settings: Any) -> Ready:
        made.append(two_databases(server, tmp_path, **settings))
        return made[-1]

    return make


@pytest.fixture
def one(server: Server, made: list[Ready], tmp_path: Path) -> Make:
    """Makes migrations of one database."""

    def make(**settings: Any) -> Ready:
        made.append(one_database(server, tmp_path, **settings))
        return made[-1]

    return make


@pytest.fixture(params=["two", "one"])
def either(request: pytest.FixtureRequest) -> Make:
    """Makes migrations of two databases, and of one."""
    found: Make = request.getfixturevalue(request.param)
    return found
