"""The books of a migration close whichever way rows come and go, and a verification names what does not."""

import pytest

from remoteiq_etl.backfill.deletes.detect import DeletePolicy
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from remoteiq_etl.verify.checks.conservation import CONSERVATION
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import Label
from tests.support.books import moved, unbalanced
from tests.support.migrating import Migration
from tests.support.undoing import EVERYTHING, last_run, undone

#: A small table that others refer to, and one that is made of several.
TABLES = ("organizations", "clients", "sites", "contacts", "tickets", "ticket_tags")


def broken(migration: Migration, *tables: str) -> list[str]:
    """What the books of these tables say that is not so."""
    verdict = verify(migration.plan, tables)
    assert [one.error for one in verdict.tables if one.error] == []
    found = [one for table in verdict.tables for one in table.findings if one.check == CONSERVATION]
    assert {one.label for one in found} <= {Label.BUG}
    return [one.detail for one in found]


def test_the_books_close_after_every_kind_of_change(copy: Migration) -> None:
    """Rows are new, changed, deleted by users, gone and back; then the last run, a table and everything is undone and loaded again."""
    copy.legacy.execute(
        "UPDATE tickets SET title = title || '!', site = NULL;"
        " INSERT INTO tickets (number, title) OVERRIDING SYSTEM VALUE VALUES (90001, 'One more'), (90002, 'And another')"
    )
    copy.run(*TABLES)
    copy.target.execute("DELETE FROM tickets WHERE subject = 'One more'")
    copy.legacy.execute(
        "UPDATE tickets SET title = 'Changed' WHERE number = 90001; DELETE FROM tickets WHERE number = 90002"
    )
    copy.run(*TABLES)
    copy.gone(DeletePolicy.PROPAGATE)
    assert unbalanced(copy) == []
    causes = moved(copy, "tickets")
    assert (causes["deleted in target"], causes["gone from legacy"]) == (-1, -1)
    assert moved(copy, "ticket_tags")["replaced"] < 0
    assert broken(copy, *TABLES) == []
    undone(copy, UndoScope(run=last_run(copy)))
    assert moved(copy, "tickets")["restored"] == 1
    undone(copy, UndoScope(assets=("ticket_tags",)))
    undone(copy, EVERYTHING)
    assert moved(copy, "tickets")["undone"] < 0
    copy.run(*TABLES)
    assert unbalanced(copy) == []
    assert broken(copy, *TABLES) == []


def test_what_does_not_add_up_is_named_with_both_figures(copy: Migration) -> None:
    ((rows,),) = copy.query("SELECT count(*) FROM remoteiq_etl.map_roles WHERE state = 'live'")
    assert broken(copy, "roles") == []
    copy.target.execute(
        "UPDATE remoteiq_etl.movements SET change = change - 1"
        " WHERE id = (SELECT min(id) FROM remoteiq_etl.movements WHERE table_name = 'roles')"
    )
    assert broken(copy, "roles") == [
        f"by the movements of all runs and undos {rows - 1:,} rows are ours, the map leads to {rows:,}"
    ]


@pytest.mark.parametrize("of_both", [False, True], ids=["an outcome", "an outcome and what was read"])
def test_a_count_of_the_ledger_that_was_changed_is_found(copy: Migration, of_both: bool) -> None:
    """Also where it still adds up: what the run made is in the movements, too."""
    ((run_id, inserted),) = copy.query(
        "UPDATE remoteiq_etl.ledger SET outcomes = outcomes || jsonb_build_object('inserted', (outcomes ->> 'inserted')::int + 1),"
        f" read = read + {int(of_both)} WHERE table_name = 'tickets' AND outcomes ? 'inserted'"
        " RETURNING run_id, (outcomes ->> 'inserted')::int"
    )
    found = broken(copy, "tickets")
    assert f"run {run_id} has {inserted:,} rows inserted by the ledger, {inserted - 1:,} by its movements" in found
    assert any("has not one outcome" in detail for detail in found) is not of_both


def test_an_older_state_begins_its_book_with_what_is_there(copy: Migration) -> None:
    """What its ledger says of earlier runs is believed; from then on both are kept."""
    copy.target.execute(
        "DELETE FROM backup_restores; UPDATE remoteiq_etl.legacy_backup_restores_map SET state = 'undone', written_hash = NULL;"
        " DROP TABLE remoteiq_etl.movements; UPDATE remoteiq_etl.meta SET schema_version = 13"
    )
    copy.legacy.execute("INSERT INTO tickets (number, title) OVERRIDING SYSTEM VALUE VALUES (90001, 'One more')")
    copy.run(*TABLES)
    assert moved(copy, "tickets").keys() == {"opening", "inserted"}
    assert unbalanced(copy) == []
    assert moved(copy, "backup_restores") == {"opening": 0}
    assert broken(copy, "tickets", "roles", "backup_restores") == []
