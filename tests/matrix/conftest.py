"""Pairs of servers of every version that is promised, and the edge cases on them.

`pair`          the servers of the legacy and of the target database: each version with itself, the oldest with the newest
`cli`           calls a command; all commands of a pair share one home
`installation`  the edge cases, and an empty database as the target
`first_load`    the same after a first load, and what that run said
`loaded`        the same after a second run
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import with_edge_cases
from tests.matrix.installation import Installation, Run
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
    yield from _dropped(Installation.of(cli, legacy, pair.target.create_database()))


@dataclass(frozen=True)
class FirstLoad:
    """`run`: what it came to, when it was made: once for each pair. `installation`: copies of its databases."""

    installation: Installation
    run: Run


_RUNS: dict[str, Run] = {}


@pytest.fixture
def first_load(pair: Pair, cli: Cli) -> Iterator[FirstLoad]:
    legacy = pair.legacy.clone("edge", with_edge_cases)

    def load(target: Database) -> None:
        _RUNS[pair.name] = Installation.of(cli, legacy, target).run()

    target = pair.target.clone(f"first_load_{pair.name}", load)
    for installation in _dropped(_copied(cli, legacy, target)):
        yield FirstLoad(installation, _RUNS[pair.name])


@pytest.fixture
def loaded(pair: Pair, cli: Cli, first_load: FirstLoad) -> Iterator[Installation]:
    """A map that was loaded after what recalls it settles in the second run."""
    name, legacy = f"loaded_{pair.name}", first_load.installation.legacy
    if name not in pair.target.templates:
        template = pair.target.create_database(
            f"template_{name}", template=pair.target.templates[f"first_load_{pair.name}"]
        )
        _copied(cli, legacy, template).run()
        pair.target.templates[name] = template.name
    target = pair.target.create_database(template=pair.target.templates[name])
    yield _copied(cli, legacy, target)
    target.drop()


def _copied(cli: Cli, legacy: Database, target: Database) -> Installation:
    Migration.of(legacy, target).accept_copy()
    return Installation.of(cli, legacy, target)


def _dropped(installation: Installation) -> Iterator[Installation]:
    yield installation
    installation.legacy.drop()
    installation.target.drop()
