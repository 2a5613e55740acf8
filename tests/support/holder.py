"""A second process that uses the bundled server: it prints its URLs and holds on until its input is closed.

`main` is what that process runs; the rest is for the test that starts it.
"""

import contextlib
import json
import os
import site
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from remoteiq_etl.bundled_server.cluster import ServerAccount, run_as
from remoteiq_etl.bundled_server.databases import databases
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import RemoteIQError

ROOT = Path(__file__).parents[2]


def interpreter_for(account: ServerAccount | None) -> str:
    """Give a Python that the account can execute and that finds our code; skip the test when there is none.

    Ours, and the checkout, may lie in the home directory of somebody else.
    """
    same = f"python{sys.version_info.major}.{sys.version_info.minor}"
    finds_us = f"import sys; sys.path[:0] = {_search_path()!r}; import tests.support.holder"
    for candidate in (sys.executable, f"/usr/bin/{same}", f"/usr/local/bin/{same}"):
        with contextlib.suppress(OSError):
            if run_as(account, [candidate, "-B", "-c", finds_us]).returncode == 0:
                return candidate
    pytest.skip(f"{account.name if account else 'nobody'} can reach no {same} or not this checkout")


def _search_path() -> list[str]:
    return [str(ROOT), *site.getsitepackages()]


def environment() -> dict[str, str]:
    """Give what a Python of other origin needs to find our packages."""
    path = os.pathsep.join(_search_path())
    return {"PATH": os.environ["PATH"], "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


class Holder:
    """The started process; `legacy` is the URL that it got, `error` the error's class and text when it got none."""

    def __init__(self, home: Path, account: ServerAccount | None, file_size: int | None) -> None:
        limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({file_size}, {file_size})); "
        code = f"{limit if file_size else ''}from tests.support import holder; holder.main()"
        self.process = subprocess.Popen(
            [interpreter_for(account), "-c", code, str(home)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            env=environment(),
        )
        self._said: dict[str, str] | None = None

    @property
    def said(self) -> dict[str, str]:
        if self._said is None:
            assert self.process.stdout
            self._said = json.loads(self.process.stdout.readline())
        return self._said

    @property
    def legacy(self) -> str:
        return self.said["legacy"]

    @property
    def error(self) -> str:
        return self.said["error"]

    def leave(self) -> None:
        """Let it go on to its end, which stops the server when it was the last user."""
        assert self.process.stdin
        assert self.process.stdout
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def kill(self) -> None:
        self.process.kill()
        self.leave()


@contextlib.contextmanager
def holding(home: Path, account: ServerAccount | None = None, file_size: int | None = None) -> Iterator[Holder]:
    holder = Holder(home, account, file_size)
    try:
        yield holder
    finally:
        holder.leave()


def main() -> None:
    try:
        with databases(Settings(home=Path(sys.argv[1]))) as urls:
            print(json.dumps({"legacy": urls.legacy, "target": urls.target}), flush=True)  # noqa: T201
            sys.stdin.read()
    except RemoteIQError as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)  # noqa: T201
