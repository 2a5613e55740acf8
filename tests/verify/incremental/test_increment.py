"""A large table of which something was written is compared by its rows: those alone, and nothing is missed by it."""

import random
from collections.abc import Callable

import pytest

from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.incremental import increment
from remoteiq_etl.verify.snapshots import verification_context
from remoteiq_etl.verify.verdicts.model import Label, TableVerdict
from tests.support.migrating import Migration
from tests.verify.corruption import Corrupter, Corruption

#: Tables of which rows can be told apart, and that no opinion about another of them reads.
LEAVES = (
    "agent_software",
    "agent_task_results",
    "backup_job_logs",
    "backup_job_manifests",
    "backup_restores",
    "check_runs",
    "email_messages",
)
LEGACY = {
    "agent_software": ("id",),
    "job_results": ("job_id",),
    "backup_job_logs": ("job_id",),
    "backup_job_manifests": ("job_id",),
    "backup_restores": ("id",),
    "check_runs": ("id",),
    "imap_ingested": ("id",),
    "email_inbound_events": ("id",),
}
KINDS: dict[str, Callable[[Corrupter], list[Corruption]]] = {
    "cells": lambda one: [*one.cells()],
    "legacy cells": lambda one: [*one.legacy_cells(LEGACY.get)],
    "rows": lambda one: [*one.rows()],
    "entries": lambda one: [*one.entries()],
}
AN_ID = "SELECT max(id::text) FROM {} WHERE id::text IN (SELECT legacy_key::text FROM {} WHERE state = 'live')"
MAP = "remoteiq_etl.legacy_{}_map"


def verified(migration: Migration, *tables: str, full: bool = False) -> dict[str, TableVerdict]:
    found = verify(migration.plan, tables, full=full).tables
    assert [one.error for one in found] == [None] * len(tables)
    return {one.table: one for one in found}


def told(verdict: TableVerdict) -> tuple[dict[str, int], set[tuple[object, ...]]]:
    """What a verdict says, whatever the rows that it looked at."""
    findings = {(one.check, one.kind, one.label, one.key, one.legacy_key, one.columns) for one in verdict.findings}
    return verdict.labels, findings


def test_the_rows_of_these_tables_can_be_told_apart(migrated: Migration) -> None:
    with verification_context(migrated.plan) as place, place.pair() as look:
        assert {name for table in LEAVES for name in increment.places(look, table) or {}} == LEGACY.keys()
        assert increment.places(look, "roles") is None  # one statement about all rows
        assert increment.places(look, "agent_task_runs") is None  # its rows are accounted for by another table


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_corrupted_later_is_found_among_the_rows_written_since(copy: Migration, kind: str) -> None:
    whole = verified(copy, *LEAVES)
    corrupter = Corrupter(copy, random.Random(7), frozenset(LEAVES))  # noqa: S311  # no secret
    made = KINDS[kind](corrupter)
    found = verified(copy, *LEAVES)
    assert len(made) >= len(LEAVES)
    assert [
        one.what for one in made if not any(one.is_named_by(f) for table in found.values() for f in table.findings)
    ] == []
    assert {table: one.whole_at for table, one in found.items()} == {
        table: one.verified_at for table, one in whole.items()
    }
    again = verified(copy, *LEAVES, full=True)
    assert {table: told(one) for table, one in found.items()} == {table: told(one) for table, one in again.items()}


def test_rows_that_came_changed_and_went_are_all_that_is_compared_again(copy: Migration) -> None:
    """By a run, by users of the new application, and by the old one since."""
    whole = verified(copy, "tickets", "check_runs")
    changed, gone = _change(copy)
    found = verified(copy, "tickets", "check_runs")
    assert {one.legacy_key for one in found["tickets"].findings if one.label is Label.CHANGED_IN_LEGACY} >= {changed}
    assert {one.legacy_key for one in found["check_runs"].findings if one.kind == "dangling"} == {gone}
    for table, one in found.items():
        assert one.whole_at == whole[table].verified_at
        assert one.rows_compared < whole[table].rows_compared
        assert one.matrices == whole[table].matrices
    full = verified(copy, "tickets", "check_runs", full=True)
    assert {table: told(one) for table, one in found.items()} == {table: told(one) for table, one in full.items()}
    copy.run("tickets")
    (after,) = verified(copy, "tickets").values()
    assert (after.passed, Label.CHANGED_IN_LEGACY in after.labels) == (True, False)


def _change(migration: Migration) -> tuple[str, str]:
    with migration.legacy.connect() as legacy:
        ((changed,), (edited,)) = migration.query(
            f"SELECT legacy_key FROM {MAP.format('tickets')} WHERE legacy_table = 'tickets' AND state = 'live' ORDER BY 1 LIMIT 2"
        )
        ((gone,),) = migration.query(
            f"SELECT min(legacy_key::text) FROM {MAP.format('check_runs')} WHERE state = 'live'"
        )
        legacy.execute("UPDATE tickets SET title = title || ' again' WHERE id = %s", [changed])
        legacy.execute("DELETE FROM check_runs WHERE id = %s", [gone])
    migration.target.execute(
        f"UPDATE tickets SET description = 'edited' WHERE id = (SELECT new_key FROM {MAP.format('tickets')}"
        f" WHERE legacy_table = 'tickets' AND legacy_key = '{edited}')"
    )
    return changed, gone


def test_what_an_opinion_reads_besides_has_changed_so_every_row_is_compared(copy: Migration) -> None:
    verified(copy, "check_runs")
    with copy.legacy.connect() as legacy:
        legacy.execute("UPDATE check_assignments SET check_name = check_name || ' later'")
    assert verified(copy, "check_runs")["check_runs"].whole_at is None


def test_differences_too_many_to_be_known_by_name_are_compared_whole(
    copy: Migration, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((key,),) = copy.query("SELECT min(id::text) FROM tickets")
    copy.target.execute(f"UPDATE tickets SET description = 'edited' WHERE id = '{key}'")
    verified(copy, "tickets")
    copy.target.execute("UPDATE remoteiq_etl.verifications SET findings = '[]'")
    copy.target.execute(f"UPDATE tickets SET description = 'edited twice' WHERE id = '{key}'")
    assert verified(copy, "tickets")["tickets"].whole_at is None
    nameless = "UPDATE remoteiq_etl.verifications SET findings = jsonb_set(findings, '{0,legacy_key}', 'null')"
    copy.target.execute(f"{nameless}; UPDATE tickets SET description = 'edited thrice' WHERE id = '{key}'")
    assert verified(copy, "tickets")["tickets"].whole_at is None
    monkeypatch.setattr(increment, "MOST_ROWS", 0)
    copy.target.execute(f"UPDATE tickets SET description = 'edited again' WHERE id = '{key}'")
    assert verified(copy, "tickets")["tickets"].whole_at is None
