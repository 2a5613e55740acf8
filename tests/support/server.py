"""Throw-away PostgreSQL servers and the databases in them. Data do not survive: fsync is off and stopping is immediate.

As root the server runs as an unprivileged user that exists, because PostgreSQL refuses to run as root. A server ends with
the process that started it, also when that is killed.
"""

import contextlib
import itertools
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from remoteiq_etl.bundled_server.cluster import ServerAccount, run_as
from remoteiq_etl.bundled_server.databases import programs_for, unprivileged_account

SUPERUSER = "tester"
SELECT_ONLY_PASSWORD = "not-a-secret"

# The databases of two workers take up to 0.9 GB (measured); a small /dev/shm, as containers have it, is not for them.
_ROOM_IN_MEMORY = 4 * 2**30

# Ends the server when its input ends: at `stop`, or with the process that started the server, however that ended.
_KEEPER = """
cat > /dev/null
"$1" stop --silent -D "$2/data" -m immediate -w
code=$?
rm -rf "$2"
exit $code
"""

# Durability is worth nothing here, and without it a clone of a template takes 20 ms.
_SPEED = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "jit": "off",
    "shared_buffers": "64MB",
    "listen_addresses": "",
    "timezone": "UTC",
}


def bundled_bin_dir() -> Path:
    return programs_for(server_account())


def found_bin_dirs() -> list[Path]:
    """The bundled binaries first, then those that the system has, newest last."""
    system = Path("/usr/lib/postgresql").glob("*/bin")
    complete = [path for path in system if all((path / name).exists() for name in ("initdb", "pg_ctl", "postgres"))]
    return [bundled_bin_dir(), *sorted(complete, key=lambda path: int(path.parent.name.split(".")[0]))]


def server_account() -> ServerAccount | None:
    """The user to run servers as: None for ourselves, an unprivileged one when we are root."""
    return unprivileged_account() if os.geteuid() == 0 else None


@dataclass(frozen=True)
class Database:
    """One database of a throw-away server."""

    server: "Server"
    name: str

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    def url_as(self, role: str) -> str:
        return self.server.url(self.name, role)

    def connect(self, *, autocommit: bool = True, role: str = SUPERUSER) -> psycopg.Connection:
        self.server.copies.pop(self.name, None)
        return psycopg.connect(self.url_as(role), autocommit=autocommit)

    def execute(self, statement: str) -> None:
        """Run one or more statements without parameters."""
        with self.connect() as connection:
            connection.execute(statement.encode())

    def select_only_role(self, *schemas: str, name: str | None = None) -> str:
        """Create a role that may SELECT from every present table of the schemas and nothing else; give its name."""
        role = name or f"reader_{next(self.server.numbers)}"
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
            connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
            for schema in schemas or ("public",):
                names = {"schema": sql.Identifier(schema), "role": sql.Identifier(role)}
                connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {schema} TO {role}").format(**names))
                connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}").format(**names))
        return role

    def become(self, template: str) -> None:
        """Be a fresh copy of another database, under the same name."""
        self.drop()
        self.server.create_database(self.name, template)

    def drop(self) -> None:
        self.server.copies.pop(self.name, None)
        self.server.admin(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self.name)))


@dataclass
class Server:
    """A running PostgreSQL, reached by a unix socket only; its templates are built once and cloned for each test."""

    bin_dir: Path
    directory: Path
    major: int
    keeper: subprocess.Popen[bytes]
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    templates: dict[str, str] = field(default_factory=dict)
    #: The databases that nobody has had a session of yet, and what each is a copy of.
    copies: dict[str, str] = field(default_factory=dict)

    def url(self, database: str, role: str = SUPERUSER) -> str:
        return f"postgresql://{quote(role)}@/{quote(database)}?host={quote(str(self.directory), safe='')}"

    def admin(self, statement: sql.Composable) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def create_database(
        self, name: str | None = None, template: str = "template0", encoding: str | None = None
    ) -> Database:
        name = name or f"test_{next(self.numbers)}"
        # Before 15 there was no other way. Writing the pages into the WAL takes up to four times as long where nothing is synced.
        how = sql.SQL("STRATEGY FILE_COPY" if self.major >= 15 else "")
        names = sql.Identifier(name), sql.Identifier(template)
        text = sql.SQL("ENCODING {} LOCALE 'C'").format(sql.Literal(encoding)) if encoding else sql.SQL("")
        self.admin(sql.SQL("CREATE DATABASE {} TEMPLATE {} {} {}").format(*names, how, text))
        self.copies[name] = template
        return Database(self, name)

    def clone(self, name: str, build: Callable[[Database], None]) -> Database:
        """Give a fresh copy of the template `name`, which `build` fills when it is asked for the first time."""
        if name not in self.templates:
            template = self.create_database(f"template_{name}")
            try:
                build(template)
            except BaseException:  # an interrupted test, too: a half template would be cloned by the next one
                template.drop()
                raise
            self.templates[name] = template.name
        return self.create_database(template=self.templates[name])

    def stop(self) -> None:
        _, said = self.keeper.communicate()
        if self.keeper.returncode:
            raise RuntimeError(f"the server in {self.directory} did not stop: {said.decode(errors='replace')}")


def memory() -> Path | None:
    """A file system in memory with room for the databases of a session of tests; None: there is none.

    Programs can be run from it, because some tests copy them there.
    """
    shared = Path("/dev/shm")
    usable = shared.is_mount() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free >= _ROOM_IN_MEMORY
    return shared if usable and not os.statvfs(shared).f_flag & os.ST_NOEXEC else None


def start(bin_dir: Path, settings: Mapping[str, str] = _SPEED, place: Path | None = None) -> Server:
    """Create a cluster in a directory of its own in `place` (None: the temp dir) and start it.

    Raises RuntimeError with what the program said.
    """
    directory = Path(tempfile.mkdtemp(prefix="remoteiq-test-", dir=place))
    account = server_account()
    if account:
        os.chown(directory, account.uid, account.gid)
    data = directory / "data"
    _run(bin_dir / "initdb", "-D", data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
    options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
    options += f" -c unix_socket_directories='{directory}'"
    _run(bin_dir / "pg_ctl", "start", "-D", data, "-w", "-l", directory / "log", "-o", options)
    return Server(bin_dir, directory, major_version(bin_dir), _keeper(bin_dir, directory, account))


def _keeper(bin_dir: Path, directory: Path, account: ServerAccount | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", "-c", _KEEPER, "sh", bin_dir / "pg_ctl", directory],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd="/",
        # Neither a Ctrl-C nor the end of our process group may reach it.
        start_new_session=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def major_version(bin_dir: Path) -> int:
    said = _run(bin_dir / "postgres", "--version")
    found = re.search(r"(\d+)", said)
    if not found:
        raise RuntimeError(f"{bin_dir}/postgres --version said {said!r}")
    return int(found[1])


def start_primary(bin_dir: Path) -> Server:
    """A server that others can follow. It checkpoints as slowly as it may, so that its control file says what was."""
    slowly = {"checkpoint_timeout": "1d", "checkpoint_completion_target": "1"}
    return start(bin_dir, {**_SPEED, "wal_level": "replica", "max_wal_senders": "8", **slowly}, memory())


def start_standby(primary: Server) -> Server:
    """A copy of a server that follows it."""
    directory = Path(tempfile.mkdtemp(prefix="remoteiq-test-", dir=primary.directory.parent))
    account = server_account()
    if account:
        os.chown(directory, account.uid, account.gid)
    data = directory / "data"
    _run(primary.bin_dir / "pg_basebackup", "-D", data, "-c", "fast", "-h", primary.directory, "-U", SUPERUSER)
    (data / "standby.signal").touch()
    # Not -R: a newer pg_basebackup writes options that an older server does not know.
    with (data / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
        file.write(f"primary_conninfo = 'host={primary.directory} user={SUPERUSER}'\n")
    settings = {**_SPEED, "max_wal_senders": "8", "checkpoint_timeout": "1d", "checkpoint_completion_target": "1"}
    settings["wal_level"] = "replica"
    options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
    options += f" -c unix_socket_directories='{directory}'"
    _run(primary.bin_dir / "pg_ctl", "start", "-D", data, "-w", "-l", directory / "log", "-o", options)
    return Server(primary.bin_dir, directory, primary.major, _keeper(primary.bin_dir, directory, account))


@contextlib.contextmanager
def running(
    bin_dir: Path | None = None, settings: Mapping[str, str] = _SPEED, place: Path | None = None
) -> Iterator[Server]:
    """A server for the length of a with block."""
    server = start(bin_dir or bundled_bin_dir(), settings, place)
    try:
        yield server
    finally:
        server.stop()


def _run(*command: str | Path) -> str:
    done = run_as(server_account(), command)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed with {done.returncode}: {done.stdout}")
    return done.stdout
