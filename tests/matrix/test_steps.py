"""First load, re-sync, verification and undo of the edge cases, as an operator calls them, on each pair of servers."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from remoteiq_etl.cli.exit_codes import Exit
from schemas import target as target_schema
from tests.matrix.conftest import FirstLoad, Pair
from tests.matrix.installation import Counts, Installation
from tests.support import expected
from tests.support.books import unbalanced
from tests.support.migrating import target_tables
from tests.support.undoing import content

pytestmark = pytest.mark.matrix
#: They record what we wrote in which run; loaded at once, the same values are one write and not two.
RECORDS = ("organization_setting_audits",)
OUTCOMES = {
    "inserted": "inserted",
    "merged_away": "merged away",
    "archived_only": "archived only",
    "filtered": "filtered",
    "quarantined": "quarantined",
    "held": "held",
}
CHANGES = """
UPDATE tickets SET title = 'changed since' WHERE id IN (SELECT id FROM tickets ORDER BY number, id LIMIT 3);
INSERT INTO tickets (id, number, title, status, priority) OVERRIDING SYSTEM VALUE VALUES
    ('70000000-0000-4000-8000-000000000001', 770001, 'made since', 'open', 'low');
UPDATE devices SET os = 'freebsd' WHERE id = (SELECT min(id::text)::uuid FROM devices);
UPDATE users SET password_hash = 'changed' WHERE id = (SELECT min(id::text)::uuid FROM users);
UPDATE check_runs SET output = 'changed' WHERE id = (SELECT min(id::text)::uuid FROM check_runs);
UPDATE backups_config SET retention_days = 77 WHERE id = 'singleton';
UPDATE branding_settings SET primary_color = '#010203';
DELETE FROM agent_software WHERE id = (SELECT max(id) FROM agent_software);
"""


def test_doctor_finds_nothing_that_blocks_and_knows_both_versions(installation: Installation, pair: Pair) -> None:
    ended = installation.call("doctor", "--json")
    assert ended.code == Exit.DONE, ended.out + ended.err
    said = json.loads(ended.out)
    for side, server in (("legacy", pair.legacy), ("target", pair.target)):
        assert f"PostgreSQL {server.major}" in json.dumps(said[side])


def test_a_plan_writes_nothing_and_says_what_the_first_load_does(
    installation: Installation, first_load: FirstLoad
) -> None:
    planned = installation.call("plan", "--json")
    assert planned.code == first_load.run.code == Exit.ATTENTION, planned.err
    assert installation.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
    assert _counts(json.loads(planned.out)["tables"]) == _counts(first_load.run.tables)


def test_the_first_load_gives_every_row_and_outcome_that_was_worked_out_by_hand(first_load: FirstLoad) -> None:
    """And every foreign key, valid."""
    loaded = first_load.installation
    assert _wrong_rows(loaded) == []
    assert _outcomes(loaded) == _expected_outcomes()
    assert unbalanced(loaded.migration) == []
    assert _constraints(loaded) == {"foreign keys": _foreign_keys(), "not valid": 0}


def test_a_verification_after_the_first_load_explains_every_difference(first_load: FirstLoad) -> None:
    verdict = first_load.installation.verified()
    assert {table["table"] for table in verdict["tables"]} >= set(expected.expected_tables())


def test_a_run_of_what_has_not_changed_writes_nothing(loaded: Installation) -> None:
    before = loaded.migration.versions()
    run = loaded.run()
    assert (run.total("inserted"), run.total("updated"), run.code) == (0, 0, Exit.ATTENTION)
    assert loaded.migration.versions() == before
    assert _wrong_rows(loaded) == []


def test_a_resync_brings_what_changed_and_nothing_else(loaded: Installation) -> None:
    changed = [key for (key,) in loaded.ask_legacy("SELECT id FROM tickets ORDER BY number, id LIMIT 3")]
    before = loaded.rows()
    loaded.legacy.execute(CHANGES)
    run = loaded.run()
    assert (run.tables["tickets"]["inserted"], run.tables["tickets"]["updated"]) == (1, len(changed))
    subjects = dict(loaded.query("SELECT id, subject FROM tickets WHERE subject LIKE '% since'"))
    assert {key for key, subject in subjects.items() if subject == "changed since"} == set(changed)
    assert "made since" in subjects.values()
    assert loaded.query("SELECT count(*) FROM devices WHERE operating_system = 'freebsd'") == [(1,)]
    assert loaded.query("SELECT count(*) FROM users WHERE password_hash = 'changed'") == [(1,)]
    assert loaded.rows() == {
        **before,
        "tickets": before["tickets"] + 1,
        **{name: loaded.rows()[name] for name in RECORDS},
    }
    assert loaded.gone("agent_software") == 1
    loaded.verified()
    again = loaded.run()
    assert (again.total("inserted"), again.total("updated")) == (0, 0)


def test_a_lost_row_and_a_changed_value_are_told_apart(loaded: Installation) -> None:
    """An edit is explained, a value that nobody edited and a row that nothing explains are not."""
    loaded.verified("tickets", "backup_restores")
    key = loaded.query("SELECT min(id::text) FROM tickets")[0][0]
    loaded.target.execute(f"UPDATE tickets SET subject = 'edited' WHERE id = '{key}'")
    verdict = loaded.verified("tickets")
    assert {one["key"] for one in verdict["differences"] if one["label"] == "edited_in_target"} == {key}
    loaded.target.execute("DELETE FROM remoteiq_etl.legacy_backup_restores_map")
    ended = loaded.call("verify", "backup_restores", "--json")
    assert (ended.code, json.loads(ended.out)["verdict"]) == (Exit.FAILED, "BUG")


def test_an_undo_of_a_resync_leaves_what_the_load_left(loaded: Installation, tmp_path: Path) -> None:
    before = content(loaded.migration)
    loaded.legacy.execute(CHANGES)
    loaded.run("tickets", "devices", "check_runs")
    assert content(loaded.migration) != before
    last = loaded.query("SELECT max(id) FROM remoteiq_etl.runs WHERE status <> 'plan'")[0][0]
    loaded.undone(tmp_path / "plan.json", "--run", str(last))
    assert content(loaded.migration) == before
    assert unbalanced(loaded.migration) == []


def test_an_undo_of_everything_leaves_nothing_of_ours_and_a_run_brings_it_back(
    loaded: Installation, tmp_path: Path
) -> None:
    before = content(loaded.migration)
    loaded.undone(tmp_path / "plan.json", "--all")
    assert loaded.rows() == {}
    assert loaded.query("SELECT count(*) FROM remoteiq_etl.map_all WHERE state = 'live'") == [(0,)]
    assert unbalanced(loaded.migration) == []
    loaded.run()
    assert content(loaded.migration, RECORDS) == {name: rows for name, rows in before.items() if name not in RECORDS}
    loaded.verified()


def _counts(tables: Mapping[str, Counts]) -> dict[str, dict[str, object]]:
    measured = {"seconds", "rows_per_second", "bytes", "rows_in_target"}
    return {name: {what: n for what, n in found.items() if what not in measured} for name, found in tables.items()}


def _wrong_rows(installation: Installation) -> list[str]:
    found = (expected.differences(table, installation.migration.rows(table)) for table in expected.expected_tables())
    return [line for lines in found for line in lines]


def _outcomes(installation: Installation) -> dict[str, Counter[str]]:
    """Of every legacy row, once, what became of it in the first run."""
    found: dict[str, Counter[str]] = {}
    for table, outcomes in installation.query(
        "SELECT legacy_table, outcomes FROM remoteiq_etl.ledger WHERE primary_rows"
    ):
        found.setdefault(table, Counter()).update(outcomes)
    return found


def _expected_outcomes() -> dict[str, Counter[str]]:
    return {table: +_expected(wanted) for table, wanted in expected.outcomes()["tables"].items() if wanted["read"]}


def _expected(wanted: dict[str, Any]) -> Counter[str]:
    counts = Counter({"inserted": wanted["inserted"]})
    for name in OUTCOMES.keys() - {"inserted"}:
        counts[OUTCOMES[name]] = sum(map(len, wanted.get(name, {}).values()))
    return counts


def _foreign_keys() -> int:
    return sum(len(target_schema.metadata.tables[f"target.{name}"].foreign_key_constraints) for name in target_tables())


def _constraints(installation: Installation) -> dict[str, int]:
    [(keys, invalid)] = installation.query(
        "SELECT count(*) FILTER (WHERE contype = 'f'), count(*) FILTER (WHERE NOT convalidated)"
        " FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
    )
    return {"foreign keys": keys, "not valid": invalid}
