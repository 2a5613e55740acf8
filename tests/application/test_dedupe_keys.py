"""Assignments that the application would take for one are one, its runs follow, and a blank key is the one that it computes."""

from collections.abc import Iterator

import pytest

from assets.monitoring.rules import dedupe_keys
from assets.shared.winners import Winners
from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import Label
from tests.support.migrating import Migration, foreign_target
from tests.support.server import Server

ROWS = """
INSERT INTO check_assignments (id, device_id, check_type, check_name, dedupe_key, created_at) VALUES
    ('{0}1', 'd0000003-0000-4000-8000-000000000000', 'CPU', 'Load', NULL, '2024-01-02'),
    ('{0}2', 'linux-d0000003-0000-4000-8000-000000000000', 'cpu', 'LOAD', ' ', '2024-01-01'),
    ('{0}3', '5', 'DISK', 'Load', 'cpu|load', '2024-01-03'),
    ('{0}4', 'd0000003-0000-4000-8000-000000000000', 'CPU', 'Load', 'own', '2024-01-04'),
    ('{0}5', 'd0000001-0000-4000-8000-000000000000', 'CPU', 'Load', NULL, '2024-01-05');
INSERT INTO check_runs (id, assignment_id, device_id, status)
    SELECT ('{0}' || n + 4)::uuid, ('{0}' || n)::uuid, 'd0000003-0000-4000-8000-000000000000', 'OK'
    FROM generate_series(1, 4) AS n;
""".format("ca0000de-0000-4000-8000-00000000000")
KEY = "ca0000de-0000-4000-8000-00000000000"
OURS = f"SELECT id::text, dedupe_key FROM check_assignments WHERE id::text LIKE '{KEY}%' ORDER BY id"


@pytest.fixture(scope="module")
def deduped(server: Server, edge_template: str) -> Iterator[Migration]:
    legacy, application = server.create_database(template=edge_template), foreign_target(server)
    application.execute("ALTER TABLE check_assignments ADD dedupe_key text")
    legacy.execute(ROWS)
    migration = Migration.of(legacy, application)
    migration.run()
    yield migration
    for database in (legacy, application):
        database.drop()


def test_equal_keys_of_one_device_are_one_assignment_the_oldest(deduped: Migration) -> None:
    assert deduped.query(OURS) == [(f"{KEY}2", "cpu|load"), (f"{KEY}4", "own"), (f"{KEY}5", "cpu|load")]
    merged = "SELECT legacy_key, new_key::text FROM remoteiq_etl.legacy_check_assignments_map WHERE state = 'merged' ORDER BY 1"
    assert deduped.query(merged) == [(f"{KEY}1", f"{KEY}2"), (f"{KEY}3", f"{KEY}2")]


def test_their_runs_follow(deduped: Migration) -> None:
    runs = f"SELECT assignment_id::text, count(*) FROM check_runs WHERE id::text LIKE '{KEY}%' GROUP BY 1 ORDER BY 1"
    assert deduped.query(runs) == [(f"{KEY}2", 3), (f"{KEY}4", 1)]


def test_the_index_that_the_application_makes_at_its_first_request_is_possible(deduped: Migration) -> None:
    deduped.target.execute(
        "CREATE UNIQUE INDEX of_application ON check_assignments (target_type, target_id, dedupe_key)"
    )


def test_in_a_target_of_a_program_that_merged_none_every_row_stays_and_no_key_is_there_twice(
    server: Server, edge_template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    legacy, application = server.create_database(template=edge_template), foreign_target(server)
    application.execute("ALTER TABLE check_assignments ADD dedupe_key text")
    legacy.execute(ROWS)
    migration = Migration.of(legacy, application)
    with monkeypatch.context() as former:
        former.setattr(dedupe_keys, "deduped", lambda *_: Winners({}, {}, [], []))
        migration.run()
    migration.run(mode=Mode.FULL)
    twins = [(f"{KEY}1", f"cpu|load~{KEY}1"), (f"{KEY}2", "cpu|load"), (f"{KEY}3", f"cpu|load~{KEY}3")]
    assert migration.query(OURS) == [*twins, (f"{KEY}4", "own"), (f"{KEY}5", "cpu|load")]
    (found,) = verify(migration.plan, ["check_assignments"]).tables
    assert (found.error, [one for one in found.findings if one.label is Label.BUG]) == (None, [])
    legacy.drop()
    application.drop()


def test_verification_agrees_and_a_run_after_it_writes_nothing(deduped: Migration) -> None:
    found = verify(deduped.plan, ["check_assignments", "check_runs"]).tables
    assert [(one.error, [each for each in one.findings if each.label is Label.BUG]) for one in found] == [
        (None, [])
    ] * 2
    versions = deduped.versions()
    deduped.run()
    assert deduped.versions() == versions
