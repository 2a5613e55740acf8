"""Pairs of servers of every version that is promised, and the edge cases on them.

`pair`          the servers of the legacy and of the target database: each version with itself, the oldest with the newest
`cli`           calls a command; all commands of a pair share one home
`installation`  the edge cases, and an empty database as the target
`loaded`        the same after a first load and a second run, which had nothing left to do
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import with_edge_cases
from tests.matrix.installation import Installation
from tests.support import locked_postgres
from tests.support.calling import Cli, calling
from tests.support.migrating import Migration
from tests.support.server import Database, Server


def pairs() -> list[tuple[int, int]]:
    """Major versions of the legacy and the target server."""
    majors = list(locked_postgres.locked())
    oldest, newest = majors[0], majors[-1]
    return [*((major, major) for major in majors), (oldest, newest), (newest, oldest)]


@dataclass(frozen=True)
class Pair:
    """The servers of both databases; `name` is that of the case."""

    legacy: Server
    target: Server
    name: str


@pytest.fixture(scope="session", params=pairs(), ids=lambda versions: f"{versions[0]}to{versions[1]}")
def pair(request: pytest.FixtureRequest, server_pool: Callable[[Path | int], Server]) -> Pair:
    legacy, target = request.param
    return Pair(server_pool(legacy), server_pool(target), f"{legacy}to{target}")


@pytest.fixture(scope="session")
def home(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp(pair.name)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path) -> Iterator[Cli]:
    with calling(monkeypatch, capsys, home) as call:
        yield call


@pytest.fixture
def installation(pair: Pair, cli: Cli) -> Iterator[Installation]:
    legacy = pair.legacy.clone("edge", with_edge_cases)
    yield from _dropped(Installation(cli, legacy, pair.target.create_database()))


@pytest.fixture
def loaded(pair: Pair, cli: Cli) -> Iterator[Installation]:
    legacy = pair.legacy.clone("edge", with_edge_cases)

    def load(target: Database) -> None:
        first = Installation(cli, legacy, target)
        for _ in range(2):
            first.run()

    target = pair.target.clone(f"loaded_{pair.name}", load)
    Migration.of(legacy, target).accept_copy()
    yield from _dropped(Installation(cli, legacy, target))


def _dropped(installation: Installation) -> Iterator[Installation]:
    yield installation
    installation.legacy.drop()
    installation.target.drop()
