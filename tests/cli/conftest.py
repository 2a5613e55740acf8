"""The command line called in this process, on the databases that a test names.

`cli`        calls a command: cli("plan", "--json", legacy=edge_db, target=target_db)
`migrated`   a target into which the edge cases have been migrated whole, and their legacy database
"""

import logging
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from remoteiq_etl.cli import main
from tests.support.server import Database, Server


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


Cli = Callable[..., Ended]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Cli]:
    def call(*arguments: str, legacy: Database | str, target: Database | str, **environ: str) -> Ended:
        urls = [database if isinstance(database, str) else database.url for database in (legacy, target)]
        settings = {"REMOTEIQ_HOME": str(tmp_path / "home"), "COLUMNS": "100", **environ}
        for name, value in {"REMOTEIQ_LEGACY_URL": urls[0], "REMOTEIQ_TARGET_URL": urls[1], **settings}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("DAGSTER_HOME", raising=False)
        capsys.readouterr()
        code = main(arguments)
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    handler, handlers = signal.getsignal(signal.SIGTERM), list(logging.getLogger().handlers)
    yield call
    signal.signal(signal.SIGTERM, handler)
    logging.getLogger().handlers[:] = handlers


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
