"""One PostgreSQL cluster on this machine: create, start, look at and stop it with its own programs.

Here belong the programs, their errors in plain words, and the server's settings. Who may use a cluster, where it lies
and when it stops is decided in `remoteiq_etl.bundled_server.databases`.
"""

import contextlib
import errno
import os
import pwd
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from psycopg import pq

from remoteiq_etl.errors import (
    DirectoryNotOurs,
    DirectoryNotWritable,
    DiskFull,
    EmbeddedServerError,
    IncompatibleData,
    SocketPathTooLong,
)

SUPERUSER = "remoteiq"
PORT = 5432
#: sun_path holds 108 bytes on Linux and 104 on macOS, its closing zero included.
MAX_SOCKET_PATH = 103
#: Recovery after a power cut replays up to max_wal_size; 5 minutes is far more than that takes on a slow disk.
START_SECONDS = 300
#: The children of a postmaster that was killed need a moment to see it; until then a new one is refused.
ORPHAN_SECONDS = 15

#: Given at every start, so that a newer program changes them without a new cluster.
SERVER_SETTINGS = {
    # Nobody connects over a network, and only the owner of the socket's directory reaches the socket.
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    # A backfill writes gigabytes; with the default of 1 GB a checkpoint comes every few seconds.
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    # No replica and no archive will ever read this log.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",
    # Compiling costs more than it saves for statements of one batch.
    "jit": "off",
    "timezone": "UTC",
    # The values of a failed statement may be secrets: neither the statement nor its DETAIL and CONTEXT is written.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}

_FULL = re.compile(r"No space left on device|Disk quota exceeded|File too large|SIGXFSZ|File size limit exceeded")
_REFUSED = re.compile(r"Permission denied|Read-only file system|Operation not permitted")
_NOT_OURS = re.compile(r"has wrong ownership|has invalid permissions|server did not start with the correct owner")
_OTHER_VERSION = re.compile(r"database files are incompatible with server|was initialized by PostgreSQL version")
_OVERTAKEN = re.compile(r'lock file "postmaster\.pid" already exists')
_ORPHANS = re.compile(r"pre-existing shared memory block")


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """The operating system user that a server runs as."""

    name: str
    uid: int
    gid: int

    @classmethod
    def of(cls, entry: pwd.struct_passwd) -> "ServerAccount":
        """Give the account of an entry of the user database."""
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)


def run_as(
    account: ServerAccount | None, command: Sequence[str | Path], text: str | None = None, output: int = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end as `account` (None: as ourselves), away from our terminal, and give what it said.

    Raises OSError when the program cannot be started, e.g. PermissionError when the account cannot reach it.
    """
    return subprocess.run(
        [str(word) for word in command],
        input=text or "",
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd="/",
        # PG… variables of ours must not steer it.
        env=_environment(),
        # A session of its own: a Ctrl-C at our terminal must not reach a server.
        start_new_session=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def _environment() -> dict[str, str]:
    kept = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "ICU_DATA")
    # Messages in English, because they are read below.
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C"}


def explain(said: str, doing: str, place: Path) -> EmbeddedServerError:
    """Turn what a program said into an error that says what to do."""
    tail = "\n".join(said.strip().splitlines()[-8:]) or "(it said nothing)"
    what = f"{doing} in {place} failed"
    if _FULL.search(said):
        return DiskFull(
            f"{what}: no room is left on the disk or in the quota. Free some, or set REMOTEIQ_HOME.\n{tail}"
        )
    if _NOT_OURS.search(said):
        return DirectoryNotOurs(f"{what}: the directory belongs to another user or is open to others.\n{tail}")
    if _OTHER_VERSION.search(said):
        return IncompatibleData(
            f"{what}: the data are another PostgreSQL version's. Move them away to begin anew.\n{tail}"
        )
    if _REFUSED.search(said):
        return DirectoryNotWritable(f"{what}: the directory cannot be written. Set REMOTEIQ_HOME to another.\n{tail}")
    return EmbeddedServerError(f"{what}. The server said:\n{tail}")


def explain_os_error(error: OSError, doing: str, place: Path) -> EmbeddedServerError:
    """Turn an error of the operating system into one that says what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return explain("No space left on device", doing, place)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return explain(f"{error.strerror or 'Permission denied'}: {error.filename or place}", doing, place)
    return EmbeddedServerError(f"{doing} in {place} failed: {error}. Set REMOTEIQ_HOME to a directory on a local disk.")


@contextlib.contextmanager
def open_owned(path: Path) -> Iterator[int]:
    """Open a file for reading and appending, owned by whom its directory belongs to, also when root makes it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        if os.geteuid() == 0:
            owner = path.parent.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
    except OSError as error:
        raise explain_os_error(error, "opening the file", path) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class PidFile:
    """What a running (or killed) server wrote down about itself in postmaster.pid."""

    pid: int
    socket_directory: Path | None

    @classmethod
    def read(cls, data: Path) -> "PidFile | None":
        """Give the content, or None when there is none. The socket's directory is written a moment after the pid."""
        try:
            lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            return cls(int(lines[0]), Path(lines[4]) if len(lines) > 4 and lines[4] else None)
        except (FileNotFoundError, IndexError, ValueError):
            return None

    def is_server_of(self, data: Path) -> bool:
        """Tell whether the process lives and is this data directory's server: it works in that directory.

        After a restart of the machine another process may have the pid; PostgreSQL itself takes it for a server.
        """
        try:
            if Path("/proc/self/cwd").exists():
                return Path(f"/proc/{self.pid}/cwd").readlink() == data.resolve()
            return str(data) in run_as(None, ["ps", "-o", "args=", "-p", str(self.pid)]).stdout
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster: `directory`/data, run by the programs in `programs` as `account`, logging to `log`."""

    programs: Path
    directory: Path
    log: Path
    account: ServerAccount | None
    major: int

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.directory / "data"

    def url(self, database: str, socket_directory: Path) -> str:
        """Give the libpq URL of a database of the running server."""
        return f"postgresql://{SUPERUSER}@/{database}?host={quote(str(socket_directory), safe='')}&port={PORT}"

    def exists(self) -> bool:
        """Tell whether the cluster was created. Raises IncompatibleData when another major version did so."""
        try:
            version = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return False
        if version != str(self.major):
            raise IncompatibleData(
                f"{self.data} was written by PostgreSQL {version}, and the bundled one is {self.major}."
                f" Dump it with version {version}, or move the directory away to begin anew."
            )
        return True

    def create(self, people: Sequence[str]) -> None:
        """Create the cluster so that only the operating system users `people` may connect, and appear all at once."""
        draft = self.directory / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        # The locale provider within PostgreSQL is the same on every machine, whatever locales it has.
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
        done = self._run("initdb", "-U", SUPERUSER, "--auth-local=peer", "--no-instructions", *locale, data=draft)
        if done.returncode:
            raise explain(done.stdout, "creating the bundled database server", self.directory)
        self._write(draft / "pg_hba.conf", "local all all peer map=remoteiq\n")
        self._write(draft / "pg_ident.conf", "".join(f'remoteiq "{name}" all\n' for name in people))
        draft.rename(self.data)

    def start(self) -> Path:
        """Start the server and give the directory of its socket. The caller sees to it that nobody else starts it."""
        self._clear_remains()
        socket_directory = self._new_socket_directory()
        deadline = time.monotonic() + ORPHAN_SECONDS
        while said := self._try_to_start(socket_directory):
            # Somebody was killed between starting the server and our look at it, and it came up meanwhile.
            if _OVERTAKEN.search(said) and (running := self.running()):
                return running
            if not _ORPHANS.search(said) or time.monotonic() > deadline:
                shutil.rmtree(socket_directory, ignore_errors=True)
                raise explain(said, "starting the bundled database server", self.directory)
            time.sleep(0.3)
        return socket_directory

    def running(self) -> Path | None:
        """Give the directory of the socket when the server runs, waiting while it starts or recovers; else None."""
        deadline = time.monotonic() + START_SECONDS
        while (noted := PidFile.read(self.data)) and noted.is_server_of(self.data):
            if noted.socket_directory and self._answers(noted.socket_directory):
                return noted.socket_directory
            if time.monotonic() > deadline or (noted.socket_directory and not noted.socket_directory.exists()):
                raise EmbeddedServerError(
                    f"the bundled database server runs (process {noted.pid}) but does not answer at"
                    f" {noted.socket_directory}. End it with: kill -INT {noted.pid}, and try again."
                )
            time.sleep(0.05)
        return None

    def stop(self) -> None:
        """Stop the server after its open transactions were rolled back and everything was written down."""
        noted = PidFile.read(self.data)
        if noted is None:
            return
        done = self._run("pg_ctl", "stop", "-m", "fast", "-w", "-t", "120")
        # It says that it stopped once the PID file is gone; the process itself may take a moment longer.
        if done.returncode and noted.is_server_of(self.data):
            raise explain(done.stdout, "stopping the bundled database server", self.directory)
        _remove_socket_directory(noted.socket_directory)

    def _answers(self, socket_directory: Path) -> bool:
        return pq.PGconn.ping(self.url("postgres", socket_directory).encode()) == pq.Ping.OK

    def _try_to_start(self, socket_directory: Path) -> str:
        """Give the empty text when the server is up, else what it said."""
        settings = {**SERVER_SETTINGS, "unix_socket_directories": str(socket_directory)}
        options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
        with open_owned(self.log) as descriptor:
            before = os.fstat(descriptor).st_size
            # Without -l the server inherits the file, so that its account needs no way to it.
            arguments = ("start", "-w", "-t", str(START_SECONDS), "-o", options)
            done = self._run("pg_ctl", *arguments, output=descriptor)
            os.lseek(descriptor, before, os.SEEK_SET)
            said = os.read(descriptor, 1 << 20).decode(errors="replace")
        return said or "(nothing)" if done.returncode else ""

    def _run(
        self, program: str, *arguments: str | Path, data: Path | None = None, output: int = subprocess.PIPE
    ) -> subprocess.CompletedProcess[str]:
        return run_as(self.account, [self.programs / program, "-D", data or self.data, *arguments], output=output)

    def _write(self, path: Path, text: str) -> None:
        """Write as the server's account, so that as root we follow no link that this account may have laid."""
        done = run_as(self.account, ["/bin/sh", "-c", 'cat > "$1"', "sh", path], text)
        if done.returncode:
            raise explain(done.stdout, "creating the bundled database server", self.directory)

    def _new_socket_directory(self) -> Path:
        for parent in dict.fromkeys((tempfile.gettempdir(), "/tmp")):  # noqa: S108 (a socket's path must be short)
            if len(os.fsencode(parent)) + len("/remoteiq-12345678/.s.PGSQL.5432") <= MAX_SOCKET_PATH:
                return self._private_directory(Path(parent))
        raise SocketPathTooLong(
            f"a unix socket below {tempfile.gettempdir()} has too long a name. Set TMPDIR to a shorter one."
        )

    def _private_directory(self, parent: Path) -> Path:
        try:
            made = Path(tempfile.mkdtemp(prefix="remoteiq-", dir=parent))
            if self.account:
                os.chown(made, self.account.uid, self.account.gid)
        except OSError as error:
            raise explain_os_error(error, "making a directory for the socket", parent) from error
        return made

    def _clear_remains(self) -> None:
        """Remove what a killed server left: its socket's directory, and its pid file, whose pid may be reused."""
        noted = PidFile.read(self.data)
        if noted and not noted.is_server_of(self.data):
            _remove_socket_directory(noted.socket_directory)
            (self.data / "postmaster.pid").unlink(missing_ok=True)


def _remove_socket_directory(directory: Path | None) -> None:
    if directory and directory.name.startswith("remoteiq-"):
        shutil.rmtree(directory, ignore_errors=True)
