"""Fixtures that every test may use. A server starts when the first test asks for it and stops at the session's end.

`server`       the bundled PostgreSQL (or --pg-bindir DIR); with @pytest.mark.every_postgres each version that is found,
               and with --matrix each that tests/matrix locks
`legacy_db`    a database with the empty legacy schema in public
`edge_db`      the same, with the edge-case data set
`target_db`    an empty database with the extensions that both schemas need
`empty_db`     a database with nothing in it
"""

import gc
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.support import chromium, locked_postgres
from tests.support import server as servers
from tests.support.order import spread
from tests.support.server import Database, Server

pytest_plugins = ["tests.support.library", "tests.support.migrations", "tests.support.quick"]

# A developer's own settings must not reach the tests, and the tests report nothing to anybody.
for _name in [name for name in os.environ if name.startswith("REMOTEIQ_")]:
    del os.environ[_name]
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"

# A shell lets what it starts in the background ignore Ctrl-C, and that is handed down to the programs whose end is tested.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Dagster's databases and the bundled server wait for the disk at each commit; in memory there is nothing to wait for.
if _memory := servers.memory():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_memory))

# How long an example takes tells how busy the machine is, not whether the code is right.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


MATRIX = Path(__file__).parent / "matrix"


def pytest_report_header() -> str:
    """What of the machine decides which tests there are."""
    return f"chromium: {chromium.found() or 'none, so the tests of the report in a browser are not collected'}"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pg-bindir", type=Path, help="run on these PostgreSQL programs instead of the bundled ones")
    parser.addoption(
        "--matrix", action="store_true", help="run on every PostgreSQL that tests/matrix locks (make matrix)"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What fetches servers is collected when it is asked for."""
    return True if collection_path == MATRIX and not config.getoption("--matrix") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1:
        items[:] = spread(items, workers)


def pytest_collection_finish() -> None:
    """Modules and thousands of collected tests stay: no collection of garbage has to look at them again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server" not in metafunc.fixturenames or not metafunc.definition.get_closest_marker("every_postgres"):
        return
    versions = _versions(metafunc.config)
    metafunc.parametrize("server", versions.values(), ids=versions.keys(), indirect=True, scope="session")


def _versions(config: pytest.Config) -> dict[str, Path | int]:
    """The programs' directories, or the major versions of those that are still to be fetched, by name."""
    chosen = config.getoption("--pg-bindir")
    if config.getoption("--matrix") and not chosen:
        return {f"pg{major}": major for major in locked_postgres.locked()}
    bin_dirs = [chosen] if chosen else servers.found_bin_dirs()
    return {f"pg{servers.major_version(path)}": path for path in bin_dirs}


@pytest.fixture(scope="session")
def locked_programs() -> Iterator[Callable[[int], Path]]:
    """The programs of each major version that is locked, fetched and unpacked when somebody asks for them."""
    with locked_postgres.programs() as get:
        yield get


@pytest.fixture(scope="session")
def server_pool(locked_programs: Callable[[int], Path]) -> Iterator[Callable[[Path | int], Server]]:
    """Every server that the session has started, by its programs' directory, or by the major version of locked programs.

    A test of a version that cannot be had is skipped and says which.
    """
    started: dict[Path, Server] = {}

    def get(which: Path | int) -> Server:
        try:
            bin_dir = locked_programs(which) if isinstance(which, int) else which
        except locked_postgres.CannotBeHad as missing:
            pytest.skip(f"PostgreSQL {which} is left out: {missing}")
        if bin_dir not in started:
            started[bin_dir] = servers.start(bin_dir, place=servers.memory())
        return started[bin_dir]

    yield get
    for server in started.values():
        server.stop()


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, server_pool: Callable[[Path | int], Server]) -> Server:
    chosen = request.config.getoption("--pg-bindir") or servers.bundled_bin_dir()
    return server_pool(getattr(request, "param", chosen))


@pytest.fixture
def empty_db(server: Server) -> Iterator[Database]:
    database = server.create_database()
    yield database
    database.drop()


@pytest.fixture
def target_db(server: Server) -> Iterator[Database]:
    database = server.clone("target", _with_extensions)
    yield database
    database.drop()


@pytest.fixture
def legacy_db(server: Server) -> Iterator[Database]:
    database = server.clone("legacy", with_legacy_schema)
    yield database
    database.drop()


@pytest.fixture
def edge_db(server: Server) -> Iterator[Database]:
    database = server.clone("edge", with_edge_cases)
    yield database
    database.drop()


@pytest.fixture(scope="session")
def edge_template(server: Server) -> str:
    """The name of the database that `edge_db` is cloned from, for fixtures that outlive one test."""
    server.clone("edge", with_edge_cases).drop()
    return server.templates["edge"]


def _with_extensions(database: Database) -> None:
    from schemas import ddl

    database.execute(";".join(ddl.extension_ddl()))


def with_legacy_schema(database: Database) -> None:
    from schemas import ddl, legacy

    _with_extensions(database)
    database.execute(";".join(ddl.create_enums(legacy.metadata, "public")))
    database.execute(";".join(ddl.create_tables(legacy.metadata, "public", foreign_keys=True, indexes=True)))


def with_edge_cases(database: Database) -> None:
    from remoteiq_etl.fixtures import edge_cases

    with_legacy_schema(database)
    with database.connect(autocommit=False) as connection:
        edge_cases.load(connection, "public")
