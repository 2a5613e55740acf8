"""A verification of a migrated database: what it says, what it reads again, and what it leaves alone."""

import pytest
from psycopg import sql

from remoteiq_etl.verify.engine import Verification, verify
from remoteiq_etl.verify.verdicts.model import Finding, Label, Status, TableVerdict
from tests.support.migrating import Migration

A_USER = "SELECT m.new_key::text, m.legacy_key FROM remoteiq_etl.legacy_users_map m WHERE m.state = 'live' ORDER BY 2 LIMIT 1"
WRITTEN = "the legacy row was written since the table was last completed"


def _one(migration: Migration, table: str, **more: bool) -> TableVerdict:
    (verdict,) = verify(migration.plan, [table], **more).tables
    return verdict


def _shown(verdict: TableVerdict) -> set[tuple[str, str | None, tuple[str, ...]]]:
    return {(one.label, one.key, one.columns) for one in verdict.findings if one.label not in _WAITING}


_WAITING = (Label.QUARANTINED, Label.HELD)


def test_every_difference_of_the_edge_cases_is_explained(migrated: Migration) -> None:
    verdict = verify(migrated.plan)
    assert [one.error for one in verdict.tables if one.error] == []
    about_rows = {one.label for table in verdict.tables for one in table.findings if one.check != "sequences"}
    assert (verdict.word, about_rows) == ("explained", {Label.QUARANTINED, Label.HELD})
    assert {check.name for one in verdict.tables for check in one.checks} >= {
        "opinion",
        "keys",
        "constraints",
        "conservation",
        "rules",
    }
    assert all(check.looked_at for one in verdict.tables for check in one.checks if check.name == "constraints")


def test_what_happened_since_the_last_run_is_labelled_and_named(copy: Migration) -> None:
    (key, legacy_key), *_ = copy.query(A_USER)
    users = "SELECT id FROM users WHERE id::text <> %s ORDER BY created_at LIMIT 2"
    (edited,), (deleted,) = copy.query(users.replace("%s", f"'{key}'"))
    copy.target.execute(f"UPDATE users SET first_name = 'Edited' WHERE id = '{edited}'")
    copy.target.execute(f"DELETE FROM users WHERE id = '{deleted}'")
    first = verify(copy.plan, ["users"])
    assert (first.passed, first.word) == (True, "explained")
    assert _shown(first.tables[0]) == {
        (Label.EDITED_IN_TARGET, str(edited), ("first_name", "updated_at")),
        (Label.EDITED_IN_TARGET, str(deleted), ()),
    }
    copy.legacy.execute(f"UPDATE users SET name = 'Somebody Else' WHERE id::text = '{legacy_key}'")
    found = [one for one in _one(copy, "users").findings if one.label is Label.CHANGED_IN_LEGACY]
    assert {(one.key, one.legacy_key, one.detail) for one in found} == {(key, legacy_key, WRITTEN)}
    copy.run()
    assert _one(copy, "users").labels.get(Label.CHANGED_IN_LEGACY) is None


def test_a_row_that_was_left_out_and_should_not_have_been_is_a_bug(copy: Migration) -> None:
    """The opinion makes a run of this job, whatever the migration says of it."""
    job = "1b000001-0000-4000-8000-000000000000"
    copy.target.execute(
        f"DELETE FROM agent_task_runs WHERE id = (SELECT new_key FROM remoteiq_etl.legacy_agent_task_runs_map WHERE legacy_key = '{job}');"
        f" DELETE FROM remoteiq_etl.legacy_agent_task_runs_map WHERE legacy_key = '{job}';"
        " INSERT INTO remoteiq_etl.left_out (source_id, table_name, legacy_table, legacy_key, outcome, rule, run_id)"
        f" SELECT 1, 'agent_task_runs', 'jobs', '{job}', 'filtered', 'never_started', 1"
    )
    found = [one for one in _one(copy, "agent_task_runs").findings if one.legacy_key == job and one.check == "opinion"]
    assert [(one.label, one.kind) for one in found] == [(Label.BUG, "missing")]


def test_what_legacy_changed_is_labelled_also_where_a_row_becomes_several(copy: Migration) -> None:
    """Tags are known by the key of their ticket and a word."""
    ticket = "7c000004-0000-4000-8000-000000000000"
    copy.legacy.execute(f"UPDATE tickets SET site = 'Branch', client = 'Acme' WHERE id = '{ticket}'")
    verdict = _one(copy, "ticket_tags")
    found = {(one.label, one.legacy_key) for one in verdict.findings if one.legacy_key and ticket in one.legacy_key}
    keys = {key for _, key in found}
    assert (verdict.error, {label for label, _ in found}) == (None, {Label.CHANGED_IN_LEGACY})
    assert keys == {f'["{ticket}","client"]', f'["{ticket}","site"]'}


def test_a_row_that_went_before_the_last_run_is_no_bug(copy: Migration) -> None:
    """A run does not look for deleted rows: until a pass over them does, nothing is known of it."""
    copy.legacy.execute("DELETE FROM personal_tokens WHERE id = (SELECT min(id::text)::uuid FROM personal_tokens)")
    copy.run("personal_access_tokens")
    counts = _one(copy, "personal_access_tokens").counts
    assert [counts[check][Label.CHANGED_IN_LEGACY] for check in ("opinion", "keys")] == [
        1,
        1,
    ]  # the row, its entry in the map
    assert not [check for check, labels in counts.items() if Label.BUG in labels]


def test_a_missing_time_that_its_parent_tells_otherwise_since_is_no_bug(copy: Migration) -> None:
    """Software that was never dated has the time of its agent when it came; that alone is never written again."""
    copy.legacy.execute(
        "UPDATE agents SET created_at = 'infinity', updated_at = 'infinity', last_seen_at = '2024-01-01 00:00:00+00' WHERE id = 7;"
        "INSERT INTO agent_software (id, agent_id, name, updated_at) VALUES (900, 7, 'Undated', '-infinity')"
    )
    copy.run("agents", "agent_software")
    assert copy.query("SELECT updated_at::date::text FROM agent_software WHERE name = 'Undated'") == [("2024-01-01",)]
    copy.legacy.execute("UPDATE agents SET last_seen_at = '2024-02-01 00:00:00+00' WHERE id = 7")
    copy.run("agents", "agent_software")
    found = [one for one in _one(copy, "agent_software").findings if one.legacy_key == "900"]
    assert [(one.label, one.columns) for one in found] == [(Label.EXPECTED, ("updated_at",))]


def test_what_nothing_explains_is_a_bug(copy: Migration) -> None:
    """As if the program had written something else: the target, and what is recorded of it, agree with each other only."""
    ((_key, legacy_key),) = copy.query(A_USER)
    copy.target.execute(
        f"DELETE FROM remoteiq_etl.legacy_users_map WHERE legacy_key = '{legacy_key}';"
        "UPDATE remoteiq_etl.legacy_roles_map SET source_hash = '\\x00'"
        " WHERE legacy_key = (SELECT min(legacy_key) FROM remoteiq_etl.legacy_roles_map WHERE legacy_table = 'roles')"
    )
    verdict = verify(copy.plan, ["users", "roles"])
    users, roles = verdict.tables
    assert (verdict.passed, verdict.word) == (False, "BUG")
    assert {(one.check, one.kind, one.legacy_key) for one in _bugs(users)} == {
        ("opinion", "missing", legacy_key),
        ("keys", "unaccounted", legacy_key),
        ("conservation", "broken", None),  # an entry less than rows came
    }
    assert {(one.check, one.kind) for one in _bugs(roles)} == {("keys", "altered")}


def test_a_table_of_which_nothing_has_moved_is_not_read_again(copy: Migration) -> None:
    first = _one(copy, "backup_jobs")
    copy.target.execute("UPDATE roles SET updated_at = now()")  # nothing of backups reads them
    again = _one(copy, "backup_jobs")
    assert (again.verified_at, again.snapshot) == (first.verified_at, first.snapshot)
    assert _one(copy, "backup_jobs", full=True).verified_at > first.verified_at
    ((job,),) = copy.query("SELECT min(id::text) FROM backup_jobs")
    copy.target.execute(f"UPDATE backup_jobs SET error = 'edited' WHERE id = '{job}'")
    assert _shown(_one(copy, "backup_jobs")) == {(Label.EDITED_IN_TARGET, job, ("error",))}


def _bugs(verdict: TableVerdict) -> list[Finding]:
    return [one for one in verdict.findings if one.label is Label.BUG]


def test_the_cause_for_which_tables_cannot_be_verified_is_named_once(
    pair: Migration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The legacy database is shut while the second table is looked at: what is said of two tables is said once."""
    original = Verification._verified

    def verified(work: Verification, table: str, former: TableVerdict | None) -> TableVerdict:
        if table == "users":
            shut = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(pair.legacy.name))
            pair.legacy.server.admin(shut)
            pair.target.execute(
                f"SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = '{pair.legacy.name}'"
            )
        return original(work, table, former)

    monkeypatch.setattr(Verification, "_verified", verified)
    tables = ["organizations", "users", "user_security", "sessions"]
    found = {one.table: one for one in verify(pair.plan, tables, full=True).tables}
    assert [found[name].status is Status.FAILED for name in tables] == [False, True, True, True]
    assert "pg_terminate_backend" in str(found["users"].error)
    assert str(found["user_security"].error).startswith("ConnectionFailed: cannot connect to")
    assert "the database takes no connections" in str(found["user_security"].error)
    assert found["sessions"].error == "for the same reason as user_security"
