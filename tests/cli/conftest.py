"""The command line called in this process, on the databases that a test names.

`cli`        calls a command: cli("plan", "--json", legacy=edge_db, target=target_db)
`migrated`   a target into which the edge cases have been migrated whole, and their legacy database
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.calling import Cli as Cli
from tests.support.calling import Ended as Ended
from tests.support.calling import calling
from tests.support.server import Database, Server


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Cli]:
    with calling(monkeypatch, capsys, tmp_path / "home") as call:
        yield call


@dataclass(frozen=True)
class Migrated:
    """`said`: what `run --json` printed."""

    legacy: Database
    target: Database
    said: str


_SAID: dict[str, str] = {}


@pytest.fixture
def migrated(server: Server, edge_db: Database, cli: Cli) -> Iterator[Migrated]:
    """The run itself is made once per session, and its result cloned."""

    def build(target: Database) -> None:
        ended = cli("run", "--json", legacy=edge_db, target=target)
        assert ended.code == 3, ended.out + ended.err
        _SAID[server.directory.name] = ended.out

    target = server.clone("migrated", build)
    yield Migrated(edge_db, target, _SAID[server.directory.name])
    target.drop()
