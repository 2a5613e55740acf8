"""The command line called in this process, on the databases that a test names.

Belongs here: calling, and what a call left behind. Does not belong here: what must come of it.
"""

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from remoteiq_etl.cli import main
from tests.support.server import Database


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


Cli = Callable[..., Ended]


@contextmanager
def calling(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path) -> Iterator[Cli]:
    """Give what calls a command: call("plan", "--json", legacy=edge_db, target=target_db)."""

    def call(*arguments: str, legacy: Database | str, target: Database | str, **environ: str) -> Ended:
        urls = [database if isinstance(database, str) else database.url for database in (legacy, target)]
        settings = {"REMOTEIQ_HOME": str(home), "COLUMNS": "100", **environ}
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
