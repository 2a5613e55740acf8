"""A table that fails in a run leaves none of its dependants ahead of it: they look at their rows again once it is mended."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from remoteiq_etl.backfill.run import open_run
from remoteiq_etl.errors import RemoteIQError
from tests.support.migrating import Migration
from tests.support.small_installation import TABLES, key

NEW_USER = "cf000000-0000-4000-8000-000000000001"
#: The assignee of a ticket is a link that may be empty: a ticket does not wait for a user.
ASSIGNED = f"""
INSERT INTO users (id, name, email, role, password_hash) VALUES ('{NEW_USER}', 'New User', 'new@example.com', 'Ops', 'hash');
UPDATE tickets SET assignee_user_id = '{NEW_USER}' WHERE id = '{key("ticket", 1)}'
"""
ASSIGNEE = f"SELECT assignee_user_id::text FROM tickets WHERE id = '{key('ticket', 1)}'"


class Injected(RemoteIQError):
    """The failure that a test injects."""


def failing(migration: Migration, when: Callable[[str], bool]) -> Migration:
    """The same migration, whose session on the target fails at the first such statement."""
    failed: list[str] = []

    def observe(statement: str) -> None:
        if not failed and when(statement):
            failed.append(statement)
            raise Injected(statement[:60])

    return replace(migration, plan=replace(migration.plan, target=replace(migration.plan.target, observer=observe)))


def ends_users(statement: str) -> bool:
    """The end of the load of users: its rows are committed, and it is not complete."""
    return "INSERT INTO" in statement and '."passes"' in statement


def writes_users(statement: str) -> bool:
    return statement.startswith("COPY") and statement.split()[1].endswith("_users")


def test_a_dependant_loaded_in_the_run_in_which_its_parent_failed_looks_again(pair: Migration) -> None:
    pair.legacy.execute(ASSIGNED)
    broken = failing(pair, writes_users)
    with open_run(broken.plan) as run:
        with pytest.raises(Injected):
            run.load(run.context.spec("users"))
        run.load(run.context.spec("tickets"))
    assert pair.query(ASSIGNEE) == [(None,)]
    reports = pair.run(*TABLES)
    assert pair.query(ASSIGNEE) == [(NEW_USER,)]
    assert reports["tickets"].reading == "full: a table that it refers to failed in the run that loaded it"
    assert pair.run(*TABLES)["tickets"].unchanged


def test_what_a_failed_load_has_committed_is_seen_by_the_tables_after_it(pair: Migration) -> None:
    """They do not go by what an earlier table of the run has read of the map."""
    pair.legacy.execute(ASSIGNED)
    with open_run(failing(pair, ends_users).plan) as run:
        run.lookups.get("users", "users")
        with pytest.raises(Injected):
            run.load(run.context.spec("users"))
        run.load(run.context.spec("tickets"))
    assert pair.query(ASSIGNEE) == [(NEW_USER,)]


def test_a_dependant_looks_again_at_what_a_run_committed_before_it_failed(pair: Migration) -> None:
    """The run that mends the parent finds all of its rows there, and nothing to write."""
    pair.legacy.execute(ASSIGNED)
    pair.target.execute("ALTER TABLE users ADD CONSTRAINT ck_now CHECK (email::text <> 'new@example.com')")
    pair.run(*TABLES)
    assert pair.query(ASSIGNEE) == [(None,)]
    pair.target.execute("ALTER TABLE users DROP CONSTRAINT ck_now")
    with pytest.raises(Injected):
        failing(pair, ends_users).run("users")
    assert pair.query(f"SELECT count(*) FROM users WHERE id = '{NEW_USER}'") == [(1,)]
    pair.run(*TABLES)
    assert pair.query(ASSIGNEE) == [(NEW_USER,)]
    assert pair.run(*TABLES)["tickets"].unchanged


def test_a_dependant_looks_again_at_rows_that_a_failed_run_found_deleted(pair: Migration) -> None:
    """That a user was deleted in the target is noted at once; the ticket that named it is looked at by the next run."""
    user = key("user", 1)
    pair.legacy.execute(f"UPDATE tickets SET assignee_user_id = '{user}' WHERE id = '{key('ticket', 1)}'")
    pair.run(*TABLES)
    assert pair.query(ASSIGNEE) == [(user,)]
    pair.target.execute(f"DELETE FROM users WHERE id = '{user}'")
    with pytest.raises(Injected):
        failing(pair, ends_users).run("users")
    assert pair.run(*TABLES)["tickets"].reading.startswith("full: the map of users")
