"""What legacy has changed since the last run excuses the rows that depend on it, and no others."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from psycopg import sql

from remoteiq_etl.verify.causes.labels import DELETED_AT_SOURCE, UNFINISHED, WRITTEN
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.expected.expectation import Expectation, OneRow, expectations
from remoteiq_etl.verify.expected.legacy_copy import legacy_table
from remoteiq_etl.verify.verdicts.model import Finding, FindingKind, Label
from tests.support.migrating import Migration
from tests.verify.conftest import Bench, undone
from tests.verify.wrong import written_wrong

#: So many rows of each opinion are asked for once more, with nothing else at hand than what they say they depend on.
ASKED = 25
CLAIMING = [one for one in expectations() if one.each_row]


@pytest.mark.parametrize("expectation", CLAIMING, ids=lambda one: one.name)
def test_a_row_depends_on_no_other_rows_than_its_opinion_says(asking: Bench, expectation: Expectation) -> None:
    """Asked with the single rows that it names alone, and whole tables besides, the opinion says the same of it."""
    legacy_copy = asking.legacy_copy
    for table in expectation.looks_at:
        legacy_copy.whole(table)
    legacy_copy.offer_target("public", expectation.target)
    with legacy_copy.made(expectation.once):
        for own in (one.table for one in expectation.each_row if one.column is None):
            among_all = _said(asking, expectation, own)
            for key in sorted(among_all)[:: max(1, len(among_all) // ASKED)]:
                with undone(asking):
                    _leave(asking, expectation, own, key.removeprefix('["').partition('"')[0])
                    assert _said(asking, expectation, own).get(key) == among_all[key], key


def _said(asking: Bench, expectation: Expectation, own: str) -> dict[str, Any]:
    """What an opinion says of the rows that come from a legacy table, by key."""
    query = sql.SQL("SELECT _legacy_key::text, to_jsonb(e) FROM ({}) AS e WHERE _legacy_table = {}")
    return dict(asking.legacy_copy.session.rows(query.format(sql.SQL(expectation.query), sql.Literal(own))))


def _leave(asking: Bench, expectation: Expectation, own: str, key: str) -> None:
    """Leave of the tables of which a row depends on one row this one row alone."""
    mine = sql.SQL("l.{}::text = {}").format(_key(OneRow(own)), sql.Literal(key))
    joins = sql.SQL("pg_temp.{} AS l").format(_copy(own))
    for one in (one for one in expectation.each_row if one.column):
        joins += sql.SQL(" LEFT JOIN pg_temp.{} AS {} ON {}.{} = {}.{}").format(
            _copy(one.table),
            sql.Identifier(one.table),
            sql.Identifier(one.table),
            _key(one),
            sql.Identifier(one.of or "l"),
            sql.Identifier(one.column or ""),
        )
        rest = sql.SQL("DELETE FROM pg_temp.{} AS d WHERE NOT EXISTS (SELECT FROM {} WHERE {} AND {}.ctid = d.ctid)")
        asking.legacy_copy.session.execute(rest.format(_copy(one.table), joins, mine, sql.Identifier(one.table)))
    asking.legacy_copy.session.execute(sql.SQL("DELETE FROM pg_temp.{} AS l WHERE NOT {}").format(_copy(own), mine))


def _copy(table: str) -> sql.Identifier:
    return sql.Identifier(f"legacy_{table}")


def _key(one: OneRow) -> sql.Identifier:
    (column,) = legacy_table(one.table).primary_key.columns
    return sql.Identifier(column.name)


def _labels(findings: Sequence[Finding], column: str) -> Iterator[tuple[str | None, tuple[Label, str]]]:
    return ((one.key, (one.label, one.detail)) for one in findings if column in one.columns)


def test_rows_that_legacy_has_not_touched_are_bugs_among_rows_that_it_has(copy: Migration) -> None:
    wrong = [written_wrong(copy, "users", "first_name", number) for number in range(2)]
    device, _ = written_wrong(copy, "devices", "operating_system", 0)
    copy.legacy.execute(
        f"UPDATE users SET phone = '+49 30 1' WHERE id = '{wrong[1][1]}';"
        " UPDATE devices SET last_seen = now() WHERE id = (SELECT max(id::text)::uuid FROM devices)"
    )
    verdict = verify(copy.plan, ["users", "devices"])
    users, devices = verdict.tables
    assert dict(_labels(users.findings, "first_name")) == {
        wrong[0][0]: (Label.BUG, "the target is as it was written, and the mapping says otherwise"),
        wrong[1][0]: (Label.CHANGED_IN_LEGACY, WRITTEN),
    }
    # Which device of several keeps its hostname is decided among all of them: nobody can tell of one row.
    changed = "1 rows of devices were written since the table was last completed"
    assert dict(_labels(devices.findings, "operating_system")) == {device: (Label.CHANGED_IN_LEGACY, changed)}
    assert verdict.word == "BUG"


def test_a_row_that_names_a_row_which_legacy_has_changed_is_no_bug_and_another_one_is(copy: Migration) -> None:
    wrong = [written_wrong(copy, "sessions", "user_agent", number) for number in range(2)]
    owners = [copy.query(f"SELECT user_id FROM sessions WHERE id = '{key}'")[0][0] for key, _ in wrong]
    assert owners[0] != owners[1]
    with copy.legacy.connect() as connection:
        connection.execute(
            "UPDATE users SET last_seen = now() WHERE id = (SELECT user_id FROM sessions WHERE id::text = %s)",
            [wrong[0][1]],
        )
    (sessions,) = verify(copy.plan, ["sessions"]).tables
    named = "the row of users that it names was written since the table was last completed"
    assert dict(_labels(sessions.findings, "user_agent")) == {
        wrong[0][0]: (Label.CHANGED_IN_LEGACY, named),
        wrong[1][0]: (Label.BUG, "the target is as it was written, and the mapping says otherwise"),
    }


def test_what_a_run_has_changed_and_not_completed_is_no_bug_until_the_next_one(copy: Migration) -> None:
    """A run that was killed between its decisions and its rows: of users and of what refers to them."""
    user, _ = written_wrong(copy, "users", "first_name", 0)
    token, _ = written_wrong(copy, "personal_access_tokens", "description", 0)
    copy.target.execute(f"UPDATE remoteiq_etl.legacy_users_map SET last_run = 77 WHERE new_key = '{user}'")
    users, tokens = verify(copy.plan, ["users", "personal_access_tokens"]).tables
    assert dict(_labels(users.findings, "first_name")) == {user: (Label.CHANGED_IN_LEGACY, UNFINISHED)}
    detail = "run 77 has changed the map of users, and has not completed it"
    assert dict(_labels(tokens.findings, "description")) == {token: (Label.CHANGED_IN_LEGACY, detail)}


def test_a_row_that_is_not_as_it_was_read_is_a_bug_among_rows_that_were_written(copy: Migration) -> None:
    """Also one that nobody accounts for; of a deleted one no trace is left but that there are fewer."""
    copy.target.execute(
        "UPDATE remoteiq_etl.legacy_users_map SET source_hash = '\\x00' WHERE legacy_key IN"
        " (SELECT legacy_key FROM remoteiq_etl.legacy_users_map WHERE state = 'live' ORDER BY legacy_key LIMIT 2)"
    )
    first, second = (
        row[0]
        for row in copy.query(
            "SELECT legacy_key::text FROM remoteiq_etl.legacy_users_map WHERE state = 'live' ORDER BY legacy_key LIMIT 2"
        )
    )
    copy.legacy.execute(f"UPDATE users SET phone = '+49 30 1' WHERE id = '{second}'")
    (users,) = verify(copy.plan, ["users"]).tables
    found = {one.legacy_key: (one.label, one.detail) for one in users.findings if one.kind == "altered"}
    assert found == {
        first: (Label.BUG, "the legacy row is not as it was read, and was not written since"),
        second: (Label.CHANGED_IN_LEGACY, WRITTEN),
    }
    copy.legacy.execute(
        "DELETE FROM personal_tokens WHERE id = (SELECT id FROM personal_tokens ORDER BY id::text LIMIT 1)"
    )
    (tokens,) = verify(copy.plan, ["personal_access_tokens"]).tables
    assert {one.label for one in tokens.findings if one.detail == DELETED_AT_SOURCE} == {Label.CHANGED_IN_LEGACY}
    assert tokens.passed


def test_where_the_age_of_rows_says_nothing_no_row_is_a_bug(copy: Migration) -> None:
    """After the restore of a backup its transactions are older than those that the last run saw."""
    user, _ = written_wrong(copy, "users", "first_name", 0)
    copy.target.execute("UPDATE remoteiq_etl.passes SET horizon = horizon + 1000000 WHERE table_name = 'users'")
    (users,) = verify(copy.plan, ["users"]).tables
    detail = "nobody can tell which rows of users were written since the table was last completed"
    assert dict(_labels(users.findings, "first_name")) == {user: (Label.CHANGED_IN_LEGACY, detail)}
    assert users.passed


def test_of_equal_rows_one_that_a_user_has_deleted_is_no_bug_and_one_that_the_map_has_lost_is(pair: Migration) -> None:
    """The other one says what it should say, and is another legacy row's."""
    tables = ("organizations", "backup_jobs", "backup_job_logs")
    jobs = [f"c0000012-0000-4000-8000-{number:012}" for number in range(3)]
    for job in jobs:
        pair.legacy.execute(
            f"INSERT INTO backup_jobs (id, started_at, status) VALUES ('{job}', '2024-01-01', 'success');"
            f" INSERT INTO backup_job_logs VALUES ('{job}', 'done')"
        )
    pair.run(*tables)
    pair.target.execute(f"DELETE FROM backup_job_logs WHERE job_id = '{jobs[0]}'")
    assert verify(pair.plan, ["backup_job_logs"]).labels.keys() == {"edited_in_target"}
    pair.target.execute(
        "UPDATE remoteiq_etl.legacy_backup_job_logs_map SET new_key = gen_random_uuid(), last_run = last_run + 1"
        f" WHERE legacy_key = '{jobs[1]}'"
    )
    (verdict,) = verify(pair.plan, ["backup_job_logs"], full=True).tables
    assert {one.key: one.label for one in verdict.findings if one.kind == FindingKind.MISSING} == {
        jobs[0]: Label.BUG,  # it may be this one that is there
        jobs[1]: Label.BUG,
    }
