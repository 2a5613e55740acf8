"""A rehearsal plays the whole cycle on a scratch target, certifies it, and leaves nothing but the certificate."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remoteiq_etl.rehearsal.locks import LockWatch
from remoteiq_etl.rehearsal.scratch import with_name
from tests.conftest import with_legacy_schema
from tests.support import small_installation
from tests.support.calling import Cli, calling
from tests.support.server import Database, Server

STEPS = [
    "prepare", "load", "re-sync", "verify", "finalize", "gate", "final re-sync", "final verification", "cut-over",
    "fall-back", "way back", "undo", "compare",
]  # fmt: skip


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Cli]:
    with calling(monkeypatch, capsys, tmp_path / "home") as call:
        yield call


@pytest.fixture
def legacy(server: Server) -> Iterator[Database]:
    database = server.clone("small_legacy", lambda one: (with_legacy_schema(one), small_installation.fill(one)))
    yield database
    database.drop()


def databases(server: Server) -> set[str]:
    with server.create_database().connect() as connection:
        return {row[0] for row in connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^remoteiq'")}


def certificates(home: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((home / "rehearsals").iterdir())]


def test_every_step_is_played_and_nothing_is_left(
    cli: Cli, legacy: Database, empty_db: Database, server: Server, tmp_path: Path
) -> None:
    """With a target that is prepared, the gate has the rehearsal; the target itself is not touched."""
    assert cli("prepare", legacy=legacy, target=empty_db).code == 0
    ended = cli("rehearse", legacy=legacy, target=empty_db)
    assert ended.code == 0, ended.out + ended.err
    assert "The rehearsal passed" in ended.out
    assert "Expected downtime" in ended.out
    (found,) = certificates(tmp_path / "home")
    assert [one["step"] for one in found["steps"]] == STEPS
    assert found["verdict"] == "passed"
    assert found["rows"] > 0
    assert found["window"][1] <= found["window"][0] <= found["window"][2]
    assert {lock["side"] for lock in found["locks"]} <= {"legacy", "scratch"}
    assert databases(server) == set()
    with empty_db.connect() as connection:
        assert connection.execute("SELECT verdict, code FROM remoteiq_etl.rehearsals").fetchall() == [
            ("passed", found["code"])
        ]
        assert connection.execute("SELECT count(*) FROM public.users").fetchone() == (0,)
        assert connection.execute("SELECT stage FROM remoteiq_etl.stages").fetchall() == [("prepared",)]
    gate = json.loads(cli("gate", "status", "--json", legacy=legacy, target=empty_db).out)
    assert next(one["open"] for one in gate["rules"] if one["name"] == "rehearsal") == []


def test_a_scratch_that_is_named_is_emptied_again(
    cli: Cli, legacy: Database, empty_db: Database, server: Server
) -> None:
    named = server.create_database()
    played = cli("rehearse", legacy=legacy, target=empty_db, REMOTEIQ_REHEARSAL_URL=named.url)
    assert played.code == 0, played.out + played.err
    assert "the gate does not know of it" in " ".join(played.out.split())
    left = (
        "SELECT relname FROM pg_class WHERE relnamespace::regnamespace::text IN ('public', 'remoteiq_etl')"
        " AND relkind IN ('r', 'v', 'S')"
    )
    with named.connect() as connection:
        assert connection.execute(left).fetchall() == []
        connection.execute("CREATE TABLE precious ()")
    refused = cli("rehearse", legacy=legacy, target=empty_db, REMOTEIQ_REHEARSAL_URL=named.url)
    assert (refused.code, "is not empty" in refused.err) == (1, True)
    with named.connect() as connection:
        assert connection.execute(left).fetchall() == [("precious",)]
    named.drop()


def test_what_goes_wrong_is_certified_as_failed(
    cli: Cli, legacy: Database, empty_db: Database, server: Server, tmp_path: Path
) -> None:
    """A role that may create databases and nothing else on the scratch's side; the real one is asked for no more."""
    legacy.execute("ALTER TABLE tickets DROP COLUMN number CASCADE")
    ended = cli("rehearse", "--json", legacy=legacy, target=empty_db)
    assert ended.code == 1
    assert databases(server) == set()
    found = certificates(tmp_path / "home")
    assert [one["verdict"] for one in found] == ["failed"]
    assert found[0]["failures"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p@h:1/target", "postgresql://u:p@h:1/x"),
        ("postgresql://u@/target?host=%2Ftmp&dbname=other", "postgresql://u@/x?host=%2Ftmp&"),
        ("postgresql:///?host=%2Ftmp", "postgresql:///x?host=%2Ftmp"),
    ],
)
def test_another_database_of_the_same_server(url: str, expected: str) -> None:
    assert with_name(url, "x") == expected


def test_a_lock_is_as_long_as_it_was_seen_without_a_gap() -> None:
    watch = LockWatch()
    watch.saw("legacy", {(1, "public.users", "AccessShareLock")}, 10.0)
    watch.saw("legacy", {(1, "public.users", "AccessShareLock")}, 12.5)
    watch.saw("legacy", set(), 13.0)
    watch.saw("legacy", {(1, "public.users", "AccessShareLock")}, 20.0)
    watch.saw("legacy", {(1, "public.users", "AccessShareLock"), (2, "public.sites", "AccessShareLock")}, 21.0)
    (longest,) = watch.found
    assert (longest.table, longest.seconds) == ("public.users", 2.5)
