"""The write fence: each kind keeps the old application out, and gives back exactly what was there, killed at any statement."""

import contextlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from remoteiq_etl.config.cutover import CutOverSettings
from remoteiq_etl.config.fence_kind import FenceKind
from remoteiq_etl.errors import FenceError
from remoteiq_etl.lifecycle.cutover.fence import WriteFence, fence_of, fence_of_record, refuse_rights
from remoteiq_etl.postgres.database import Database as EngineDatabase
from remoteiq_etl.postgres.database import Session
from tests.support.preparing import KillAt, Killed
from tests.support.server import SUPERUSER, Database

_ACL = """
SELECT c.relname, coalesce(c.relacl, acldefault('r', c.relowner))::text, ARRAY(
    SELECT format('%s %s', a.attname, a.attacl) FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL)
FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') ORDER BY 1
"""
_SETTINGS = """
SELECT d.datname, s.setrole::regrole::text, s.setconfig FROM pg_db_role_setting AS s LEFT JOIN pg_database AS d ON d.oid = s.setdatabase
WHERE d.datname = current_database() ORDER BY 2
"""


class Legacy:
    """A database with two tables, and roles of its own."""

    def __init__(self, database: Database) -> None:
        number = next(database.server.numbers)
        self.database = database
        self.owner, self.app, self.helper = (f"{name}_{number}" for name in ("owner", "app", "helper"))
        roles = "".join(f"CREATE ROLE {role} LOGIN;" for role in (self.owner, self.app, self.helper))
        database.execute(
            f"{roles} SET ROLE {self.owner}; RESET ROLE; CREATE TABLE notes (id int, body text); CREATE TABLE other (id int);"
            f"ALTER TABLE notes OWNER TO {self.owner}; ALTER TABLE other OWNER TO {self.owner};"
            f"GRANT SELECT ON notes, other TO {self.app}, {self.helper};"
            f"GRANT INSERT, UPDATE ON notes TO {self.app} WITH GRANT OPTION; GRANT DELETE ON notes TO {self.app};"
            f"SET ROLE {self.app}; GRANT INSERT ON notes TO {self.helper}; RESET ROLE;"
            f"GRANT UPDATE (id) ON other TO {self.app}; GRANT INSERT ON other TO {self.helper}"
        )

    @contextlib.contextmanager
    def admin(self, observer: KillAt | None = None, role: str = SUPERUSER) -> Iterator[Session]:
        database = EngineDatabase(self.database.url_as(role), "public", observer=observer)
        with contextlib.closing(database.connect()) as session:
            yield session

    def rights(self) -> list[Any]:
        """Every entry of every list of rights, in whatever order."""
        with self.database.connect() as connection:
            rows = connection.execute(_ACL.encode()).fetchall()
        return [(name, sorted(acl.strip("{}").split(",")), sorted(columns)) for name, acl, columns in rows]

    def settings(self) -> list[Any]:
        with self.database.connect() as connection:
            return connection.execute(_SETTINGS.encode()).fetchall()

    def writes(self, role: str, statement: str = "INSERT INTO notes VALUES (1)") -> bool:
        with self.database.connect(role=role) as connection:
            try:
                connection.execute(statement.encode())
            except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction):
                return False
        return True

    def fence(self, kind: FenceKind, *roles: str) -> WriteFence:
        return fence_of(kind, CutOverSettings(roles=roles))

    def taken(self, fence: WriteFence) -> Any:
        with self.admin() as session:
            record = fence.survey(session)
            fence.take(session, record)
        return record

    def give_back(self, record: Any) -> None:
        with self.admin() as session:
            fence_of_record(record, CutOverSettings()).give_back(session, record)


@pytest.fixture
def legacy(empty_db: Database) -> Legacy:
    return Legacy(empty_db)


def killed_everywhere(legacy: Legacy, fence: WriteFence, look: Callable[[], Any]) -> None:
    """Killed at any statement of taking or giving back, the next call gives back exactly."""
    before = look()
    with legacy.admin() as session:
        record = fence.survey(session)
    for act in ("take", "give_back"):
        at = 1
        while _is_killed(legacy, fence, record, act, at):
            legacy.give_back(record)
            assert look() == before, (act, at)
            at += 1
        assert at > 2
        legacy.give_back(record)


def _is_killed(legacy: Legacy, fence: WriteFence, record: Any, act: str, at: int) -> bool:
    if act == "give_back":
        legacy.taken(fence)
    observer = KillAt(at)
    with legacy.admin(observer) as session:
        try:
            getattr(fence, act)(session, record)
        except Killed:
            return True
    return False


# --- read_only --------------------------------------------------------------------------------------------------------


@pytest.mark.every_postgres
def test_read_only_is_for_the_whole_database_and_given_back_exactly(legacy: Legacy) -> None:
    """A role that has the setting itself would not see that of the database: it gets it, too, and has its own back."""
    legacy.database.execute(
        f"ALTER ROLE {legacy.app} SET default_transaction_read_only = off;"
        f'ALTER ROLE {legacy.helper} IN DATABASE "{legacy.database.name}" SET default_transaction_read_only = off;'
        f"ALTER ROLE {legacy.helper} IN DATABASE \"{legacy.database.name}\" SET work_mem = '8MB'"
    )
    before = legacy.settings()
    record = legacy.taken(legacy.fence(FenceKind.READ_ONLY))
    assert [legacy.writes(role) for role in (legacy.app, legacy.helper, legacy.owner, SUPERUSER)] == [False] * 4
    with legacy.admin() as session:
        session.execute("INSERT INTO notes VALUES (1)")  # ours say that they write
    legacy.give_back(record)
    assert legacy.settings() == before
    assert legacy.writes(legacy.app)
    killed_everywhere(legacy, legacy.fence(FenceKind.READ_ONLY), legacy.settings)


@pytest.mark.every_postgres
def test_read_only_is_for_named_roles_alone(legacy: Legacy) -> None:
    record = legacy.taken(legacy.fence(FenceKind.READ_ONLY, legacy.app))
    assert (legacy.writes(legacy.app), legacy.writes(legacy.helper)) == (False, True)
    legacy.database.execute(
        f"REVOKE ALL ON notes FROM {legacy.app} CASCADE; DROP OWNED BY {legacy.app}; DROP ROLE {legacy.app}"
    )
    legacy.give_back(record)  # a role that is gone has nothing to get back
    assert legacy.settings() == []


# --- revoke -----------------------------------------------------------------------------------------------------------


@pytest.mark.every_postgres
def test_revoked_rights_are_given_back_exactly(legacy: Legacy) -> None:
    """From whom they were, with their options, on columns, and those that others had from the role."""
    before = legacy.rights()
    record = legacy.taken(legacy.fence(FenceKind.REVOKE, legacy.app))
    assert not any(
        legacy.writes(legacy.app, text)
        for text in ("INSERT INTO notes VALUES (1)", "UPDATE other SET id = 2", "DELETE FROM notes")
    )
    assert not legacy.writes(legacy.helper)  # it had the right from the role
    assert legacy.writes(legacy.helper, "INSERT INTO other VALUES (1)")
    legacy.give_back(record)
    assert legacy.rights() == before
    killed_everywhere(legacy, legacy.fence(FenceKind.REVOKE, legacy.app), legacy.rights)


@pytest.mark.every_postgres
def test_the_owner_loses_its_rights_and_has_them_back(legacy: Legacy) -> None:
    before = legacy.rights()
    record = legacy.taken(legacy.fence(FenceKind.REVOKE, legacy.owner, legacy.app))
    assert (legacy.writes(legacy.owner), legacy.writes(legacy.app)) == (False, False)
    legacy.give_back(record)
    assert legacy.rights() == before


@pytest.mark.parametrize("how", ["public", "superuser", "member"])
def test_rights_that_would_be_left_are_refused_and_nothing_is_taken(legacy: Legacy, how: str) -> None:
    grants = {
        "public": "GRANT UPDATE ON other TO PUBLIC",
        "superuser": f"ALTER ROLE {legacy.app} SUPERUSER",
        "member": f"GRANT {legacy.owner} TO {legacy.app}",
    }
    legacy.database.execute(grants[how])
    before = legacy.rights()
    with pytest.raises(FenceError, match=rf"may still write to the schema public: {legacy.app} \("):
        legacy.taken(legacy.fence(FenceKind.REVOKE, legacy.app))
    assert legacy.rights() == before


def test_revoke_needs_roles_that_are_there(legacy: Legacy) -> None:
    with pytest.raises(FenceError, match="needs the roles of the old application"):
        legacy.fence(FenceKind.REVOKE)
    with pytest.raises(FenceError, match="has no role nobody_of_this_name"):
        legacy.taken(legacy.fence(FenceKind.REVOKE, "nobody_of_this_name"))


@pytest.mark.parametrize("kind", [FenceKind.READ_ONLY, FenceKind.REVOKE])
def test_whether_the_rights_suffice_is_known_before(legacy: Legacy, kind: FenceKind) -> None:
    """By taking the fence in a transaction that is rolled back."""
    fence, before = legacy.fence(kind, legacy.app), (legacy.rights(), legacy.settings())
    with legacy.admin() as session:
        refuse_rights(fence, session)
    with legacy.admin(role=legacy.helper) as session, pytest.raises(FenceError, match="Set REMOTEIQ_LEGACY_ADMIN_URL"):
        refuse_rights(fence, session)
    assert (legacy.rights(), legacy.settings()) == before


# --- hook -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def command(tmp_path: Path) -> Callable[[str], tuple[str, ...]]:
    """Makes a shell script; gives the command."""

    def make(body: str) -> tuple[str, ...]:
        path = tmp_path / "hook.sh"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return (str(path), "first")

    return make


Command = Callable[[str], tuple[str, ...]]


def hook(command: tuple[str, ...], seconds: float = 5.0) -> WriteFence:
    return fence_of(FenceKind.HOOK, CutOverSettings(fence_hook=command, hook_seconds=seconds))


def test_a_hook_is_called_to_take_and_to_give_back_without_our_settings(
    legacy: Legacy, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMOTEIQ_LEGACY_ADMIN_URL", "postgresql://admin:invented@db.example.com/remoteiq")
    log = tmp_path / "log"
    record = legacy.taken(hook(command(f'echo "$@ $(env | grep -c ^REMOTEIQ_)" >> {log}')))
    legacy.give_back(record)
    assert log.read_text().splitlines() == ["first take 0", "first give-back 0"]


@pytest.mark.parametrize(
    ("body", "said"), [("exit 3", r"\(take\) failed with exit status 3"), (None, "cannot be started: No such file")]
)
def test_a_hook_that_fails_is_an_error(legacy: Legacy, command: Command, body: str | None, said: str) -> None:
    found = ("/no/such/program",) if body is None else command(body)
    with pytest.raises(FenceError, match=said):
        legacy.taken(hook(found))


def test_a_hook_that_takes_too_long_is_ended_with_what_it_started(
    legacy: Legacy, command: Command, tmp_path: Path
) -> None:
    child = tmp_path / "child"
    began = time.monotonic()
    with pytest.raises(FenceError, match=r"took longer than 0.3 seconds, and was ended"):
        legacy.taken(hook(command(f"sleep 60 & echo $! > {child}; wait"), 0.3))
    assert time.monotonic() - began < 5
    assert not _lives(int(child.read_text()))


def _lives(pid: int) -> bool:
    """Whether a process is there, after a moment in which it may end."""
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.1)
    return True


def test_stopped_changes_nothing(legacy: Legacy) -> None:
    before = legacy.rights(), legacy.settings()
    record = legacy.taken(legacy.fence(FenceKind.STOPPED))
    legacy.give_back(record)
    assert (record, (legacy.rights(), legacy.settings())) == ({"kind": "stopped"}, before)
