"""Rows in quarantine and held rows over several runs: their history, and those that a person accepts."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime

import pytest

from remoteiq_etl.backfill.outcomes.quarantine import MOST_HISTORY
from remoteiq_etl.lifecycle.operations.overview import Overview
from remoteiq_etl.lifecycle.operations.quarantine import Quarantine, QuarantinedDetail, Selected
from remoteiq_etl.state.schema import State
from tests.support.migrating import Migration, build_target
from tests.support.server import Database, Server

TABLES = ("organizations", "permissions", "roles", "users")


@pytest.fixture
def migrated(server: Server, edge_db: Database) -> Iterator[Migration]:
    """The edge cases, and a target into which TABLES have been loaded once; that is made once and cloned."""

    def build(target: Database) -> None:
        build_target(target, foreign_keys=False)
        Migration.of(edge_db, target).run(*TABLES)

    target = server.clone("target_with_users", build)
    yield Migration.of(edge_db, target)
    target.drop()


@contextmanager
def quarantine(migration: Migration) -> Iterator[Quarantine]:
    plan = migration.plan
    with closing(plan.target.connect()) as session:
        overview = Overview.of(session, State(plan.target, plan.state_schema), plan.source)
        assert overview is not None
        yield Quarantine(session, overview.state, overview.source_id)


def one(migration: Migration, key: str) -> QuarantinedDetail:
    with quarantine(migration) as rows:
        [found] = rows.details(Selected(("users",), keys=(key,), released=True))
    return found


def some_key(migration: Migration) -> str:
    """A user that is quarantined because of its status."""
    [(key,)] = migration.query(
        "SELECT legacy_key FROM remoteiq_etl.quarantine WHERE table_name = 'users' AND rule = 'unknown_word' LIMIT 1"
    )
    return str(key)


def ignore(migration: Migration, key: str, reason: str = "a test account") -> int:
    with quarantine(migration) as rows:
        return rows.mark(Selected(("users",), keys=(key,)), reason)


def change(migration: Migration, key: str, assignment: str) -> None:
    migration.legacy.execute(f"UPDATE users SET {assignment} WHERE id::text = '{key}'")


def test_an_unchanged_row_counts_its_attempts_and_has_no_history(migrated: Migration) -> None:
    key = some_key(migrated)
    since = one(migrated, key).since
    migrated.run(*TABLES)
    row = one(migrated, key)
    assert (row.attempts, row.history, row.since) == (2, [], since)
    assert (row.first_run, row.last_run) == (1, 2)


def test_each_change_of_reason_and_each_release_is_kept(migrated: Migration) -> None:
    key = some_key(migrated)
    first = one(migrated, key)
    change(migrated, key, "email = ''")
    migrated.run(*TABLES)
    second = one(migrated, key)
    assert second.rule != first.rule
    assert second.history == [
        {"rule": first.rule, "columns": first.columns, "detail": first.detail, "attempts": 1, "last_run": 1}
    ]
    change(migrated, key, "email = 'mended@example.com', status = 'active'")
    migrated.run(*TABLES)
    assert one(migrated, key).released_run == 3
    change(migrated, key, "status = 'unheard of'")
    migrated.run(*TABLES)
    third = one(migrated, key)
    assert third.released_run is None
    assert [entry.get("released_run") for entry in third.history] == [None, 3]
    assert third.since > first.since
    assert third.first_run == 1


def test_the_history_of_a_row_is_bounded(migrated: Migration) -> None:
    key = some_key(migrated)
    migrated.target.execute(
        f"UPDATE remoteiq_etl.quarantine SET history = (SELECT jsonb_agg(jsonb_build_object('rule', n::text))"
        f" FROM generate_series(1, {MOST_HISTORY}) AS n), rule = 'an earlier rule' WHERE legacy_key = '{key}'"
    )
    migrated.run(*TABLES)
    history = one(migrated, key).history
    assert [entry["rule"] for entry in history] == [*map(str, range(2, MOST_HISTORY + 1)), "an earlier rule"]


def test_a_row_that_is_ignored_is_counted_and_alarms_nobody(migrated: Migration) -> None:
    key = some_key(migrated)
    before = migrated.run("users")["users"]
    assert ignore(migrated, key) == 1
    after = migrated.run("users")["users"]
    assert after.counts()["quarantined"] == before.counts()["quarantined"]
    assert after.needs_attention == before.needs_attention - 1
    row = one(migrated, key)
    assert (row.ignored_reason, "@" in (row.ignored_by or ""), isinstance(row.ignored_at, datetime)) == (
        "a test account",
        True,
        True,
    )


@pytest.mark.parametrize("assignment", ["name = 'Somebody Else'", "password_hash = 'another'", "status = 'other word'"])
def test_a_row_that_changes_is_ignored_no_longer(migrated: Migration, assignment: str) -> None:
    """Also in a column that the quarantine does not keep; the history says who had accepted what."""
    key = some_key(migrated)
    ignore(migrated, key)
    change(migrated, key, assignment)
    report = migrated.run(*TABLES)["users"]
    row = one(migrated, key)
    assert (row.ignored_at, row.ignored_by, row.ignored_reason) == (None, None, None)
    assert row.history[-1]["ignored_reason"] == "a test account"
    assert report.waiting.ignored == 0


def test_ignoring_can_be_taken_back(migrated: Migration) -> None:
    key = some_key(migrated)
    ignore(migrated, key)
    with quarantine(migrated) as rows:
        assert [row.legacy_key for row in rows.rows(Selected(ignored=True))] == [key]
        assert rows.mark(Selected(ignored=True), None) == 1
        assert rows.rows(Selected(ignored=True)) == []


def test_a_report_counts_what_waits_of_its_table(migrated: Migration) -> None:
    waiting = migrated.run(*TABLES)["users"].waiting
    (count, oldest) = migrated.query(
        "SELECT count(*), min(quarantined_at) FROM remoteiq_etl.quarantine WHERE table_name = 'users'"
    )[0]
    assert (waiting.quarantined, waiting.ignored, waiting.oldest) == (count, 0, oldest)


def test_a_held_row_keeps_for_which_parents_it_has_waited(migration: Migration) -> None:
    migration.run("organizations", "role_permissions")  # without roles, every grant waits
    [(key, parent)] = migration.query(
        "SELECT legacy_key, parent_key FROM remoteiq_etl.held WHERE table_name = 'role_permissions' LIMIT 1"
    )
    migration.target.execute(f"UPDATE remoteiq_etl.held SET parent_key = 'another' WHERE legacy_key = '{key}'")
    migration.run("role_permissions")
    [(found, history, attempts)] = migration.query(
        "SELECT parent_key, history, attempts FROM remoteiq_etl.held WHERE legacy_key = %s", key
    )
    assert (found, attempts) == (parent, 2)
    assert [entry["parent_key"] for entry in history] == ["another"]
