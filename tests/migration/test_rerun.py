"""A second run that reads everything writes nothing, and a change in legacy changes exactly its row."""

from collections import Counter

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.backfill.context.report import Ledger
from remoteiq_etl.backfill.transform.seen_values import NEW_WORD
from tests.support.migrating import Migration, specs
from tests.support.server import Database


def inserted(migration: Migration) -> dict[str, int]:
    """The rows that runs inserted into each table, as the ledger has it."""
    return {
        table: int(rows)
        for table, rows in migration.query(
            "SELECT table_name, sum((outcomes ->> 'inserted')::bigint) FROM remoteiq_etl.ledger"
            " WHERE outcomes ? 'inserted' GROUP BY 1"
        )
    }


def test_a_second_run_changes_nothing(again: Migration) -> None:
    """0 inserted, 0 updated, and no row of the target has another xmin."""
    first, before = inserted(again), again.versions()
    second = again.run(mode=Mode.FULL)
    assert again.versions() == before
    for table, report in second.items():
        assert {outcome: report.total(outcome) for outcome in (Ledger.INSERTED, Ledger.ADOPTED, Ledger.UPDATED, Ledger.CONFLICT)} == {
            Ledger.INSERTED: 0, Ledger.ADOPTED: 0, Ledger.UPDATED: 0, Ledger.CONFLICT: 0
        }, table  # fmt: skip
        assert report.removed == 0, table
    unchanged: Counter[str] = Counter()
    for table, report in second.items():
        unchanged[specs()[table].name] += report.total(Ledger.UNCHANGED)
    assert +unchanged == first
    assert len(first) > 30


def test_a_changed_legacy_row_is_updated_and_keeps_its_times(again: Migration, edge_db: Database) -> None:
    ticket = again.query(
        "SELECT t.id, m.legacy_key FROM tickets t JOIN remoteiq_etl.legacy_tickets_map m ON m.new_key = t.id ORDER BY 1 LIMIT 1"
    )[0]
    edge_db.execute(
        f"UPDATE tickets SET title = 'Changed', updated_at = '2025-05-05 05:05:05.000005+00' WHERE id = '{ticket[1]}'"
    )
    assert again.run("tickets")["tickets"].total(Ledger.UPDATED) == 1
    rows = again.query(
        "SELECT subject, updated_at::timestamptz AT TIME ZONE 'UTC' FROM tickets WHERE id = %s", ticket[0]
    )
    assert (rows[0][0], str(rows[0][1])) == ("Changed", "2025-05-05 05:05:05.000005")


def test_a_change_of_updated_at_alone_writes_nothing(again: Migration, edge_db: Database) -> None:
    before = again.versions()
    edge_db.execute("UPDATE checks SET updated_at = now()")
    assert again.run("checks")["checks"].total(Ledger.UNCHANGED) > 0
    assert again.versions() == before


def test_a_row_deleted_in_the_target_is_not_made_again(again: Migration) -> None:
    count = again.query("SELECT count(*) FROM contacts")[0][0]
    again.target.execute("DELETE FROM contacts WHERE id = (SELECT id FROM contacts ORDER BY id LIMIT 1)")
    for _ in range(2):
        report = again.run("contacts", mode=Mode.FULL)["contacts"]
        assert report.total(Ledger.DELETED) == 1
        assert again.query("SELECT count(*) FROM contacts")[0][0] == count - 1


def test_children_of_a_row_deleted_in_the_target_are_filtered_by_name(again: Migration) -> None:
    agent = again.query("SELECT agent_id FROM agent_software GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")[0][0]
    again.target.execute(
        f"DELETE FROM agent_software WHERE agent_id = '{agent}'; DELETE FROM agents WHERE id = '{agent}'"
    )
    report = again.run("agents", "agent_software", mode=Mode.FULL)["agent_software"]
    account = report.accounts["agent_software"]
    assert account.rules[(Ledger.FILTERED, "parent_deleted_in_target")] > 0
    assert account.accounted == account.read


def test_an_edit_in_the_target_is_kept_and_listed(again: Migration, edge_db: Database) -> None:
    """Last written, current and incoming all differ: nothing is overwritten."""
    again.target.execute(
        "UPDATE clients SET name = 'Edited by hand' WHERE id = (SELECT id FROM clients ORDER BY id LIMIT 1)"
    )
    edited, key = again.query(
        "SELECT c.id, m.legacy_key FROM clients c JOIN remoteiq_etl.legacy_clients_map m ON m.new_key = c.id"
        " WHERE c.name = 'Edited by hand'"
    )[0]
    unchanged = again.run("clients")["clients"]
    assert unchanged.total(Ledger.CONFLICT) == 0, "legacy did not change, so there is nothing to decide"
    edge_db.execute(
        f"UPDATE tickets SET customer_uuid = 'f47ac10b-58cc-4372-a567-0e02b2c3d479' WHERE lower(client) = '{key}'"
    )
    edge_db.execute(f"UPDATE tickets SET customer_uuid = NULL WHERE lower(client) <> '{key}'")
    again.target.execute(
        f"UPDATE remoteiq_etl.legacy_clients_map SET written_hash = '\\x01', decision = NULL WHERE new_key = '{edited}'"
    )
    report = again.run("clients")["clients"]
    assert report.total(Ledger.CONFLICT) == 1
    conflict = again.query(
        "SELECT columns, current ->> 'name' FROM remoteiq_etl.conflicts WHERE table_name = 'clients'"
    )[0]
    assert "name" in conflict[0]
    assert conflict[1] == "Edited by hand"
    assert again.query("SELECT name FROM clients WHERE id = %s", edited) == [("Edited by hand",)]


def test_a_fixed_row_leaves_the_quarantine(again: Migration, edge_db: Database) -> None:
    keys = [
        row[0]
        for row in again.query(
            "SELECT legacy_key FROM remoteiq_etl.quarantine WHERE table_name = 'tickets' AND released_run IS NULL"
        )
    ]
    assert keys
    edge_db.execute("UPDATE tickets SET status = 'open', priority = 'normal' WHERE id IN ('" + "', '".join(keys) + "')")
    report = again.run("tickets")["tickets"]
    assert report.total(Ledger.QUARANTINED) == 0
    assert report.total(Ledger.INSERTED) == len(keys)
    assert again.query(
        "SELECT count(*) FROM remoteiq_etl.quarantine WHERE table_name = 'tickets' AND released_run IS NULL"
    ) == [(0,)]


def test_attempts_of_a_row_that_stays_are_counted(settled: Migration) -> None:
    """Two runs looked at it."""
    attempts = settled.query("SELECT DISTINCT attempts FROM remoteiq_etl.quarantine WHERE released_run IS NULL")
    assert attempts == [(2,)]


def test_a_held_row_comes_with_its_parent(again: Migration, edge_db: Database) -> None:
    (agent,) = again.query("SELECT parent_key FROM remoteiq_etl.held WHERE table_name = 'agent_software' LIMIT 1")[0]
    edge_db.execute(
        "INSERT INTO agents (id, device_id, hostname, os, arch, version) VALUES"
        f" ({agent}, 'late-agent', 'late-host', 'linux', 'x64', '1.0')"
    )
    report = again.run("devices", "agents", "agent_software")["agent_software"]
    assert report.total(Ledger.INSERTED) > 0
    assert again.query(
        "SELECT count(*) FROM remoteiq_etl.held WHERE table_name = 'agent_software' AND parent_key = %s AND released_run IS NULL",
        agent,
    ) == [(0,)]


def test_words_are_counted_with_the_run_that_saw_them_first(settled: Migration) -> None:
    found = settled.query("SELECT count(*), max(first_run) FROM remoteiq_etl.words WHERE name = 'tickets.status'")
    assert found[0][0] > 3
    assert found[0][1] == 1


def test_a_word_that_a_later_run_sees_first_is_a_warning(migration: Migration, edge_db: Database) -> None:
    """On the first load all words are new, and none is worth a warning."""
    tables = ("organizations", "clients", "sites", "devices", "agents", "agent_software", "tickets")
    first = migration.run(*tables)
    assert not any(report.new_words or NEW_WORD in report.warnings for report in first.values())
    assert first["tickets"].words["tickets.status"]["open"] > 0
    assert first["agent_software"].words["agent_software.install_date"]["9999-99-99"] > 0
    edge_db.execute(
        "UPDATE tickets SET status = 'someday' WHERE id = (SELECT min(id::text)::uuid FROM tickets);"
        "UPDATE agent_software SET install_date = '31. M 24' WHERE id = (SELECT min(id) FROM agent_software)"
    )
    planned, second = migration.run(*tables, planning=True), migration.run(*tables)
    for reports in (planned, second):
        assert reports["tickets"].new_words == {"tickets.status": ["someday"]}
        assert reports["agent_software"].new_words == {"agent_software.install_date": ["99. A 99"]}
        assert reports["tickets"].warnings[NEW_WORD] == 1
    assert not any(report.new_words for report in migration.run(*tables).values())


def test_the_ledger_closes_for_every_legacy_table(settled: Migration) -> None:
    """Read = the rows of the table = the sum of its outcomes, in the ledger of the run."""
    rows = settled.query(
        'SELECT legacy_table, sum("read"), sum((SELECT sum(value::bigint) FROM jsonb_each_text(outcomes))) FROM remoteiq_etl.ledger'
        " WHERE primary_rows AND run_id = 1 GROUP BY 1"
    )
    with settled.legacy.connect() as connection:
        counted = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table, _, _ in rows}  # type: ignore[index]
    assert {table: (int(read), int(accounted or 0)) for table, read, accounted in rows if read} == {
        table: (count, count) for table, count in counted.items() if count
    }
    assert {
        source.name for spec in specs().values() for source in spec.sources if getattr(source, "primary", False)
    } >= set(counted)
