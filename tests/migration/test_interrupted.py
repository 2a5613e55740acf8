"""A run that ends at any moment leaves whole batches, and the next one comes to the result of an undisturbed run."""

import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from remoteiq_etl.errors import LockedError, RemoteIQError
from tests.support.apart import run_apart
from tests.support.books import unbalanced
from tests.support.migrating import Migration, bare_target
from tests.support.server import Database, Server

#: A small run that has every kind of step: a recorded decision, two batches of a stream, quarantine, archive. About 150 statements.
SMALL = ("users",)
PARTS = 4


class Injected(RemoteIQError):
    """The failure that a test injects."""


class FailAt:
    """An observer that fails at the k-th statement, and keeps them."""

    def __init__(self, k: int | None = None) -> None:
        self.k = k
        self.statements: list[str] = []

    def __call__(self, statement: str) -> None:
        self.statements.append(statement)
        if len(self.statements) == self.k:
            raise Injected(f"statement {self.k}")


def failures(statements: Sequence[str]) -> list[int]:
    """The statements at which a failure leaves something else than one before: each one that follows a commit.

    And those that would commit, where most is lost; and one in twelve, wherever it is.
    """
    found, open_transactions, changed = set(range(12, len(statements) + 1, 12)), 0, True
    for number, statement in enumerate(statements, start=1):
        word = re.sub(r"--.*", "", statement).split()[0]
        commits_itself = open_transactions == 0 and word in {"INSERT", "UPDATE", "DELETE"}
        if changed or commits_itself or (word == "COMMIT" and open_transactions == 1):
            found.add(number)
        open_transactions += {"BEGIN": 1, "COMMIT": -1}.get(word, 0) * ("READ ONLY" not in statement)
        changed = open_transactions == 0 and word not in {"SELECT", "SET", "SAVEPOINT", "RELEASE", "BEGIN"}
    return sorted(found)


@dataclass(frozen=True)
class Undisturbed:
    """The edge cases, and what an undisturbed run of SMALL makes of them by which statements."""

    legacy: Database
    checksums: dict[str, tuple[int, str]]
    statements: list[str]


@pytest.fixture(scope="module")
def undisturbed(server: Server, edge_template: str) -> Iterator[Undisturbed]:
    legacy, target = server.create_database(template=edge_template), bare_target(server)
    every = FailAt()
    migration = Migration.of(legacy, target, observer=every, batch_rows=12)
    migration.run(*SMALL)
    yield Undisturbed(legacy, migration.checksums(SMALL.__contains__), every.statements)
    legacy.drop()
    target.drop()


def test_every_step_of_a_run_is_failed_at(undisturbed: Undisturbed) -> None:
    """Where batches are staged by a thread of its own, their statements may also fall into a transaction, in another order."""
    failed_at = [undisturbed.statements[number - 1] for number in failures(undisturbed.statements)]
    assert failed_at.count("COMMIT") >= 5
    for step in (r"^CREATE UNLOGGED TABLE", "^COPY", r'^INSERT INTO "\w+"."runs"', "^DROP TABLE .*stage"):
        assert [statement for statement in failed_at if re.search(step, statement)], step
    assert len(failed_at) < len(undisturbed.statements) / 2


@pytest.mark.parametrize("part", range(PARTS))
def test_a_failure_at_any_step_leaves_whole_batches_and_resumes(
    undisturbed: Undisturbed, server: Server, part: int
) -> None:
    for k in failures(undisturbed.statements)[part::PARTS]:
        target = bare_target(server)
        broken = Migration.of(undisturbed.legacy, target, observer=FailAt(k), batch_rows=12)
        with pytest.raises(Injected):
            broken.run(*SMALL)
        assert half_batches(broken) == [], k
        resumed = Migration.of(undisturbed.legacy, target, batch_rows=12)
        resumed.run(*SMALL)
        assert resumed.checksums(SMALL.__contains__) == undisturbed.checksums, k
        assert half_batches(resumed) == [], k
        assert resumed.query("SELECT tablename FROM pg_tables WHERE tablename ~ '^stage_[0-9]'") == [], k
        target.drop()


def half_batches(migration: Migration) -> list[tuple[object, ...]]:
    """Target rows without a map row, or the other way round, or not in the ledger, or not among the movements."""
    if not migration.query(
        "SELECT to_regclass('remoteiq_etl.legacy_users_map') IS NOT NULL AND to_regclass('remoteiq_etl.ledger') IS NOT NULL"
    )[0][0]:
        return migration.query("SELECT id FROM users")
    return migration.query(
        "SELECT 'unmapped', id::text FROM users u WHERE NOT EXISTS (SELECT FROM"
        " remoteiq_etl.legacy_users_map m WHERE m.new_key = u.id AND m.state = 'live')"
        " UNION ALL SELECT 'missing', m.legacy_key FROM remoteiq_etl.legacy_users_map m WHERE m.state = 'live'"
        " AND NOT EXISTS (SELECT FROM users u WHERE u.id = m.new_key)"
        " UNION ALL SELECT 'ledger', x.n::text FROM (SELECT (SELECT count(*) FROM users) -"
        " coalesce(sum((outcomes ->> 'inserted')::bigint), 0) AS n"
        " FROM remoteiq_etl.ledger WHERE table_name = 'users') x WHERE x.n <> 0"
        " UNION ALL SELECT 'movements', x.n::text FROM (SELECT (SELECT count(*) FROM users) - coalesce(sum(change), 0) AS n"
        " FROM remoteiq_etl.movements WHERE table_name = 'users') x WHERE x.n <> 0"
    )


def test_a_run_killed_at_random_points_and_resumed_equals_an_undisturbed_one(
    migration: Migration, settled: Migration
) -> None:
    dice = random.Random(20240606)  # noqa: S311  # no secret: repeatable moments
    killed = 0
    for _ in range(4):
        with run_apart(migration) as apart:
            time.sleep(dice.uniform(0.0, 1.5))
            killed += apart.kill()
    assert killed >= 2
    migration.run()
    assert migration.checksums(_names_no_run) == settled.checksums(_names_no_run)
    assert unbalanced(migration) == []
    statuses = {row[0] for row in migration.query("SELECT status FROM remoteiq_etl.runs")}
    assert statuses == {"interrupted", "succeeded"} or killed < 4


def _names_no_run(table: str) -> bool:
    """An audit says which run wrote a setting: where the first was killed before it did, that is a later one."""
    return table != "organization_setting_audits"


def test_the_second_of_two_runs_is_refused(migration: Migration) -> None:
    with run_apart(migration, *SMALL) as apart:
        with apart.stopped(), pytest.raises(LockedError, match="another run holds the source 'default'"):
            migration.run()
        assert apart.ended() == 0


def test_a_run_that_lost_its_lock_cannot_commit(migration: Migration) -> None:
    """A zombie holds an old fencing token: its next batch is refused whole."""
    from remoteiq_etl.backfill.run import open_run
    from remoteiq_etl.errors import FencedError
    from tests.support.migrating import specs

    def overtaken() -> None:
        with open_run(migration.plan) as zombie:
            migration.target.execute("UPDATE remoteiq_etl.sources SET fence = fence + 1")
            zombie.load(specs()["organizations"])

    with pytest.raises(FencedError, match="a later run took over"):
        overtaken()
    assert migration.rows("organizations") == []
