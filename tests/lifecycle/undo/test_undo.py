"""Undo: what runs wrote is taken back by a plan, exactly, and a later run writes it again under the same ids."""

from collections import Counter
from collections.abc import Iterator

import pytest

from remoteiq_etl.backfill.deletes.detect import DeletePolicy
from remoteiq_etl.errors import UndoBlocked, UndoMoved
from remoteiq_etl.lifecycle.undo.execute import execute
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from remoteiq_etl.orchestration.assets.discovery import find_tables
from tests.support.migrating import Migration
from tests.support.server import Server
from tests.support.undoing import EDITED, EVERYTHING, content, last_run, place_of, planned, resynced, undone

#: They record what we wrote in which run; loaded at once, the same values are one write and not two.
RECORDS = ("organization_setting_audits",)


@pytest.fixture
def twice(server: Server, edge_template: str) -> Iterator[Migration]:
    """A database that was loaded by run 1, edited by a user, and re-synced by runs 2 and 3; with foreign keys."""
    migration = resynced(server, edge_template)
    yield migration
    migration.legacy.drop()
    migration.target.drop()


def domains() -> dict[str, tuple[str, ...]]:
    import assets

    found: dict[str, list[str]] = {}
    for name, table in find_tables(assets).items():
        found.setdefault(table.domain, []).append(name)
    return {domain: tuple(sorted(names)) for domain, names in found.items()}


def test_everything_can_be_undone_but_what_users_edited_and_loaded_again(twice: Migration) -> None:
    """One row of each domain was edited; what it refers to stays, too, and nothing else."""
    before = content(twice)
    found = planned(twice, EVERYTHING)
    edited = Counter(row.table for row in found.kept if row.reason == "edited in target")
    assert edited == dict.fromkeys(EDITED, 1)
    assert {row.reason for row in found.kept} == {"edited in target", "referred to by a row that stays"}
    undone(twice, EVERYTHING)
    left = {table: len(rows) for table, rows in content(twice).items() if rows}
    assert left == Counter(row.table for row in found.kept)
    twice.run()
    assert content(twice, RECORDS) == {name: rows for name, rows in before.items() if name not in RECORDS}


def test_one_run_of_three_is_undone_and_the_others_work_stays(twice: Migration) -> None:
    """Run 2 changed rows of each domain, six tickets among them, and made one; run 3 changed one of the tickets again."""
    found = planned(twice, UndoScope(run=2))
    changed = {table.table for table in found.tables if table.restore}
    assert {domain for domain, names in domains().items() if changed & set(names)} == domains().keys() - {"seeds"}
    kept = {(row.table, row.reason) for row in found.kept}
    assert ("tickets", "written since by run 3") in kept
    undone(twice, UndoScope(run=2))
    subjects = dict(twice.query("SELECT subject, ticket_number FROM tickets"))
    assert "changed by run 3" in subjects
    assert "made by run 3" in subjects
    assert "changed by run 2" not in subjects
    assert "made by run 2" not in subjects
    assert twice.query("SELECT count(*) FROM devices WHERE operating_system = 'freebsd'") == [(0,)]
    twice.run()
    subjects = dict(twice.query("SELECT subject, ticket_number FROM tickets"))
    assert {"changed by run 2", "made by run 2", "changed by run 3", "made by run 3"} <= subjects.keys()


def test_an_undone_run_that_is_loaded_again_ends_as_before(twice: Migration) -> None:
    before = content(twice)
    undone(twice, UndoScope(run=3))
    assert content(twice) != before
    twice.run()
    assert content(twice, RECORDS) == {name: rows for name, rows in before.items() if name not in RECORDS}
    assert planned(twice, UndoScope(run=3)).changes == 0


@pytest.mark.parametrize("domain", sorted(domains()))
def test_a_table_and_then_its_domain_are_undone_and_come_back_under_the_same_ids(twice: Migration, domain: str) -> None:
    before = content(twice)
    names = [name for name in domains()[domain] if twice.plan.specs[name].no_source is None]
    for assets in ((names[-1],), tuple(names)):
        found = planned(twice, UndoScope(assets=assets), with_dependents=True)
        assert found.blocked == []
        assert execute(place_of(twice), found).proven
    twice.run(*found.scope.assets)
    assert content(twice, RECORDS) == {name: rows for name, rows in before.items() if name not in RECORDS}


def test_rows_of_the_new_application_block_and_are_named(twice: Migration) -> None:
    """A foreign key that would cascade takes nothing: the plan refuses, and so does its execution."""
    ticket = twice.query("SELECT id FROM tickets WHERE ticket_number = (SELECT min(ticket_number) FROM tickets)")[0][0]
    before = planned(twice, EVERYTHING)
    twice.target.execute(f"INSERT INTO ticket_updates (ticket_id, message) VALUES ('{ticket}', 'invented')")
    update = twice.query("SELECT id FROM ticket_updates")[0][0]
    rows = content(twice)
    found = planned(twice, EVERYTHING)
    assert [(row.table, row.key, row.reason, row.holder) for row in found.blocked] == [
        ("tickets", str(ticket), "referred to by a row that is not ours", f"ticket_updates {update}")
    ]
    with pytest.raises(UndoBlocked, match=f"tickets {ticket}: referred to by a row that is not ours"):
        execute(place_of(twice), found)
    with pytest.raises(UndoBlocked):
        execute(place_of(twice), before)
    assert content(twice) == rows


def test_a_table_that_others_of_ours_refer_to_is_not_undone_alone(twice: Migration) -> None:
    found = planned(twice, UndoScope(assets=("clients",)))
    assert {row.reason for row in found.blocked} == {"referred to by a row of ours that is not in the scope"}
    wider = planned(twice, UndoScope(assets=("clients",)), with_dependents=True)
    assert wider.blocked == []
    assert {"clients", "sites", "devices", "agents"} <= set(wider.scope.assets)


def test_a_plan_is_refused_when_a_row_moved_since(twice: Migration) -> None:
    found = planned(twice, EVERYTHING)
    twice.target.execute(
        "UPDATE devices SET hostname = 'edited-since' WHERE hostname = (SELECT max(hostname) FROM devices)"
    )
    rows = content(twice)
    with pytest.raises(UndoMoved, match=r"computed from other rows of .*devices"):
        execute(place_of(twice), found)
    assert content(twice) == rows


def test_a_secret_that_was_not_sealed_blocks_unless_its_loss_is_accepted(again: Migration) -> None:
    """Without a sealing key nobody has the former password; accepted, the row comes back with the one that it has."""
    again.legacy.execute(
        "UPDATE users SET password_hash = 'changed', suspended = true WHERE email = 'carol@example.com'"
    )
    status = "SELECT status, password_hash FROM users WHERE email = 'carol@example.com'"
    before = again.query(status)
    again.run("users")
    run = last_run(again)
    blocked = planned(again, UndoScope(run=run)).blocked
    assert ("users", "former secrets were not kept: password_hash") in {(row.table, row.reason) for row in blocked}
    found = planned(again, UndoScope(run=run), accept_loss=True)
    assert {row.reason for row in found.lost} == {"former secrets were not kept: password_hash"}
    assert execute(place_of(again), found).proven
    assert again.query(status) == [(before[0][0], "changed")]


def test_rows_that_went_with_legacy_and_what_was_withdrawn_come_back(twice: Migration) -> None:
    """Tickets deleted because legacy lost them, and a user who was disabled with sessions and tokens, are as before."""
    before = {table: twice.rows(table) for table in ("users", "sessions", "personal_access_tokens", "trusted_devices")}
    tickets = twice.rows("tickets")
    twice.legacy.execute(
        "DELETE FROM tickets WHERE title LIKE 'made by run _'; DELETE FROM users WHERE email = 'carol@example.com'"
    )
    reports = twice.gone(DeletePolicy.PROPAGATE, confirmed=["tickets", "users"])
    assert (reports["tickets"].deleted, reports["users"].withdrawn) == (2, 1)
    assert twice.rows("users") != before["users"]
    undone(twice, UndoScope(run=last_run(twice)))
    by_key = {table: sorted(map(str, rows)) for table, rows in before.items()}
    assert {table: sorted(map(str, twice.rows(table))) for table in before} == by_key
    assert sorted(map(str, twice.rows("tickets"))) == sorted(map(str, tickets))
    again = twice.gone(DeletePolicy.PROPAGATE, confirmed=["tickets", "users"])
    assert (again["tickets"].deleted, again["users"].withdrawn) == (2, 1)


def test_an_adopted_row_gets_its_own_values_back(again: Migration) -> None:
    """What the row had before our first write is what an undo of everything leaves of it."""
    again.target.execute(
        "DELETE FROM remoteiq_etl.legacy_contacts_map; DELETE FROM remoteiq_etl.movements WHERE table_name = 'contacts';"
        " DELETE FROM remoteiq_etl.assets"
    )
    again.target.execute("UPDATE contacts SET phone = NULL")
    own = again.rows("contacts")
    again.run("contacts")
    undone(again, UndoScope(assets=("contacts",)))
    assert again.rows("contacts") == own
    states = again.query(
        "SELECT DISTINCT state FROM remoteiq_etl.legacy_contacts_map WHERE new_key IN (SELECT id FROM contacts)"
    )
    assert states == [("undone",)]


def test_a_plan_is_executed_once(twice: Migration) -> None:
    found = planned(twice, UndoScope(run=3))
    assert execute(place_of(twice), found).before is False
    assert execute(place_of(twice), found).before is True
