"""Both servers add up what is carried unchanged; what differs is named, by key."""

from dataclasses import replace

import pytest

from remoteiq_etl.sensitive.redaction import is_secret
from remoteiq_etl.verify.checks.checksums import CHECKSUMS, MD5, SERVERS_OWN, checksums_of
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.expected.expectation import Expectation, expectations
from remoteiq_etl.verify.snapshots import verification_context
from remoteiq_etl.verify.verdicts.model import Label, TableVerdict
from schemas import legacy, target
from tests.support.migrating import Migration

CARRIED = sorted({expectation.target for expectation in expectations() if expectation.carried})
A_TICKET = (
    "SELECT m.legacy_key, m.new_key::text FROM remoteiq_etl.legacy_tickets_map m JOIN tickets t ON t.id = m.new_key"
    " WHERE m.state = 'live' AND m.legacy_key = m.new_key::text AND t.description <> '' ORDER BY 1 LIMIT 1"
)


def quick(migration: Migration, table: str) -> TableVerdict:
    (found,) = verify(migration.plan, [table], quick=True).tables
    assert found.error is None
    return found


@pytest.mark.parametrize("expectation", [one for one in expectations() if one.carried], ids=lambda one: one.name)
def test_what_is_said_to_be_carried_is_a_column_on_both_sides(expectation: Expectation) -> None:
    for table, columns in expectation.carried.items():
        assert set(columns) <= set(target.metadata.tables[f"target.{expectation.target}"].columns.keys())
        assert set(columns.values()) <= set(legacy.metadata.tables[f"legacy.{table}"].columns.keys())


@pytest.mark.parametrize("expectation", [one for one in expectations() if one.carried], ids=lambda one: one.name)
def test_no_secret_is_hashed_without_a_key(expectation: Expectation) -> None:
    for table, columns in expectation.carried.items():
        found = legacy.metadata.tables[f"legacy.{table}"].columns
        assert not [name for name in columns.values() if is_secret(found[name])]


@pytest.mark.parametrize("table", CARRIED)
def test_the_sums_agree_but_for_rows_that_wait(migrated: Migration, table: str) -> None:
    with verification_context(migrated.plan) as place, place.pair() as look:
        sums = checksums_of(look, table)
        keys = [key for one in sums for key in one.differing()]
        assert sum(one.rows for one in sums) > 0
    waiting = migrated.query(
        "SELECT legacy_key FROM remoteiq_etl.quarantine WHERE table_name = %s AND released_run IS NULL", table
    )
    assert set(keys) <= {row[0] for row in waiting}


def test_a_quick_look_at_what_agrees_looks_at_nothing_else_and_keeps_no_verdict(copy: Migration) -> None:
    found = quick(copy, "backup_job_manifests")
    assert ([check.name for check in found.checks], found.differences) == ([CHECKSUMS], 0)
    assert found.rows_compared == copy.query("SELECT count(*) FROM backup_job_manifests")[0][0]
    assert copy.query("SELECT count(*) FROM remoteiq_etl.verifications") == [(0,)]


def test_a_row_that_differs_is_looked_at_and_named(copy: Migration) -> None:
    ((legacy_key, key),) = copy.query(A_TICKET)
    copy.target.execute(f"UPDATE tickets SET description = description || '~' WHERE id = '{key}'")
    (finding,) = [one for one in quick(copy, "tickets").findings if one.key == key]
    assert (finding.label, finding.legacy_key) == (Label.EDITED_IN_TARGET, legacy_key)
    assert "description" in finding.columns


def test_a_null_is_not_the_empty_text(copy: Migration) -> None:
    """Neither has a sum that tells it from the other by chance."""
    ((_, key),) = copy.query(A_TICKET)
    for before, after in (("NULL", "''"), ("''", "NULL")):
        copy.legacy.execute(f"UPDATE tickets SET description = {before} WHERE id = '{key}'")
        copy.target.execute(f"UPDATE tickets SET description = {after} WHERE id = '{key}'")
        assert key in {one.key for one in quick(copy, "tickets").findings}


def test_a_row_that_only_one_side_has_is_named(copy: Migration) -> None:
    ((legacy_key, key),) = copy.query(A_TICKET)
    copy.target.execute(f"DELETE FROM tickets WHERE id = '{key}'")
    assert legacy_key in {one.legacy_key for one in quick(copy, "tickets").findings}


@pytest.mark.parametrize("hash_of", [SERVERS_OWN, MD5])
def test_either_hash_names_the_changed_row_and_the_changed_key(copy: Migration, hash_of: str) -> None:
    """MD5 is for servers that hash differently; both of the tests hash alike."""
    ((legacy_key, key), (_, other)) = copy.query(A_TICKET.replace("LIMIT 1", "LIMIT 2"))
    copy.target.execute(f"UPDATE tickets SET description = description || '~' WHERE id = '{key}'")
    copy.legacy.execute(f"UPDATE tickets SET id = gen_random_uuid() WHERE id = '{other}'")
    with verification_context(copy.plan) as place, place.pair() as look:
        (sums,) = checksums_of(look, "tickets")
        assert sums.hash_of == SERVERS_OWN
        found = replace(sums, hash_of=hash_of).differing()
    assert {legacy_key, other} < set(found)
