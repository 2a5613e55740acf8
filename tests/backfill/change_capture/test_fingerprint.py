"""What a table was completed under is told in the form of today and in the one before it, of which nothing is read again."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from remoteiq_etl.backfill.change_capture import fingerprint as module
from remoteiq_etl.backfill.change_capture.fingerprint import fingerprint, former_code, former_fingerprint, is_current
from tests.support.former_code import renewed
from tests.support.migrating import Migration, specs

#: Of each kind: row by row, with a decide step, made of others.
SOME = ("backup_restores", "email_channels", "backup_jobs", "agent_task_results")
CHANGED = "full: its rules, words or options have changed"


@pytest.fixture
def former(again: Migration) -> Iterator[Migration]:
    """A target whose state says what a program with the former rules wrote, in its form."""
    for asset, entry in former_code().items():
        write(again, asset, former_fingerprint(entry["texts"], again.plan.specs[asset], again.plan))
    yield again
    former_code.cache_clear()


def write(migration: Migration, asset: str, stored: str) -> None:
    with migration.target.connect() as connection:
        connection.execute("UPDATE remoteiq_etl.assets SET fingerprint = %s WHERE table_name = %s", [stored, asset])


def forms(migration: Migration, *tables: str) -> set[str]:
    query = "SELECT DISTINCT left(fingerprint, 2) FROM remoteiq_etl.assets WHERE table_name = ANY(%s)"
    return {row[0] for row in migration.query(query, list(tables))}


def test_every_entry_is_of_the_rules_of_today() -> None:
    """Where rules make other rows than then, the entry goes; where they make the same, tests/support/former_code.py renews it."""
    changed = [asset for asset, entry in renewed().items() if former_code()[asset] != entry]
    assert not changed, (
        f"remove these entries of former_code.json, or renew them by python -m tests.support.former_code: {changed}"
    )


def test_every_table_with_a_source_has_an_entry_or_has_changed() -> None:
    assert set(former_code()) <= {asset for asset, spec in specs().items() if spec.no_source is None}


def test_a_state_of_the_former_form_is_read_on_and_rewritten(former: Migration) -> None:
    reports = former.run()
    assert [table for table, report in reports.items() if report.reading == CHANGED] == []
    assert reports["email_channels"].reading == "nothing changed"
    assert forms(former, *SOME) == {"2:"}
    again = former.run(*SOME)
    assert [table for table, report in again.items() if report.reading == CHANGED] == []


def test_other_words_and_options_are_told_of_the_former_form_too(former: Migration) -> None:
    planned = former.run("backup_jobs", words={"backup_jobs.status": {"parked": "queued"}}, planning=True)
    assert planned["backup_jobs"].reading == CHANGED
    assert former.run("email_channels", options={"a": 1}, planning=True)["email_channels"].reading == "nothing changed"


def test_an_option_makes_those_tables_be_read_again_that_read_it(again: Migration) -> None:
    """Of a table that does not, nothing has changed."""
    reports = again.run("role_permissions", "email_channels", options={"role_grants": "role_meta_first"}, planning=True)
    assert {name: report.reading for name, report in reports.items()} == {
        "role_permissions": CHANGED,
        "email_channels": "nothing changed",
    }


def test_a_column_that_appeared_is_told_of_the_former_form_too(former: Migration) -> None:
    former.target.execute("ALTER TABLE email_channels ADD COLUMN fax text")
    assert former.run("email_channels", planning=True)["email_channels"].reading == CHANGED


def test_rules_that_changed_since_are_told_of_the_former_form_too(again: Migration) -> None:
    spec, entry = again.plan.specs["email_channels"], former_code()["email_channels"]
    stored = former_fingerprint(entry["texts"], spec, again.plan)
    assert is_current(stored, spec, again.plan)
    assert not is_current(stored, replace(spec, version="2"), again.plan)


def test_a_former_form_of_another_program_is_told(again: Migration, monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose rules this program does not know."""
    spec = again.plan.specs["email_channels"]
    unknown = former_fingerprint("0" * 64, spec, again.plan)
    assert not is_current(unknown, spec, again.plan)
    monkeypatch.setattr(module, "former_code", dict)
    assert not is_current(
        former_fingerprint(former_code()["email_channels"]["texts"], spec, again.plan), spec, again.plan
    )


def test_the_form_of_today_is_of_today_alone(again: Migration) -> None:
    spec = again.plan.specs["email_channels"]
    today = fingerprint(spec, again.plan)
    assert is_current(today, spec, again.plan)
    assert not is_current(today, replace(spec, version="2"), again.plan)
    assert not is_current("", spec, again.plan)
