"""Triggers and rules of the target: what they keep out is quarantined, what they change is remembered as it is."""

from collections.abc import Iterator

import pytest

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.backfill.context.report import Ledger, TableReport
from remoteiq_etl.backfill.load.target_triggers import CHANGED_BY_TARGET
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import Label
from tests.support.books import unbalanced
from tests.support.migrating import Migration, bare_target
from tests.support.server import Database, Server
from tests.support.small_installation import TABLES, fill, key
from tests.support.undoing import EVERYTHING, undone

USERS = ("organizations", "users")
FIRST, SECOND, THIRD = (key("user", number) for number in (1, 2, 3))
OPEN = (
    "SELECT legacy_key, rule, detail FROM remoteiq_etl.quarantine WHERE table_name = 'users' AND released_run IS NULL"
    " ORDER BY legacy_key"
)
KEPT_OUT = "kept out by a trigger or rule of users: trg_theirs"


def trigger(migration: Migration, body: str, events: str = "INSERT OR UPDATE", when: str = "BEFORE") -> None:
    """Put a row trigger on the users of the target."""
    migration.target.execute(
        f"CREATE OR REPLACE FUNCTION theirs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;"
        f"CREATE TRIGGER trg_theirs {when} {events} ON users FOR EACH ROW EXECUTE FUNCTION theirs()"
    )


def skipping(*users: str) -> str:
    return f"IF NEW.id::text IN ({', '.join(map(repr, users))}) THEN RETURN NULL; END IF; RETURN NEW;"


def drop_trigger(migration: Migration) -> None:
    migration.target.execute("DROP TRIGGER trg_theirs ON users")


def assert_true_to_the_target(migration: Migration, report: TableReport) -> None:
    """Each row has one outcome, and the map leads to no row that is not there."""
    for account in report.accounts.values():
        assert account.accounted == account.read
    lost = (
        "SELECT count(*) FROM remoteiq_etl.legacy_users_map m WHERE state = 'live'"
        " AND NOT EXISTS (SELECT FROM users u WHERE u.id = m.new_key)"
    )
    assert migration.query(lost) == [(0,)]


@pytest.fixture
def fresh(legacy_db: Database, server: Server) -> Iterator[Migration]:
    """The small installation, with nothing loaded."""
    fill(legacy_db)
    target = bare_target(server)
    yield Migration.of(legacy_db, target)
    target.drop()


@pytest.mark.parametrize("batch_rows", [7, 50_000], ids=["small batches", "one batch"])
def test_rows_of_a_first_load_that_a_trigger_keeps_out_are_quarantined(fresh: Migration, batch_rows: int) -> None:
    """The trigger reports no error: only the rows that the statement gives back tell."""
    trigger(fresh, skipping(FIRST, THIRD))
    report = fresh.run(*USERS, batch_rows=batch_rows)["users"]
    assert fresh.query(OPEN) == [(one, "refused_by_target", KEPT_OUT) for one in (FIRST, THIRD)]
    assert (report.total(Ledger.INSERTED), report.total(Ledger.QUARANTINED)) == (18, 2)
    assert fresh.query("SELECT count(*) FROM users") == [(18,)]
    assert_true_to_the_target(fresh, report)
    drop_trigger(fresh)
    report = fresh.run(*USERS)["users"]
    assert report.total(Ledger.INSERTED) == 2
    assert fresh.query(OPEN) == []
    assert_true_to_the_target(fresh, report)


def test_a_rule_that_swallows_every_insert_leaves_every_row_in_quarantine(fresh: Migration) -> None:
    fresh.target.execute("CREATE RULE swallow AS ON INSERT TO users DO INSTEAD NOTHING")
    report = fresh.run(*USERS)["users"]
    assert report.total(Ledger.QUARANTINED) == 20
    assert_true_to_the_target(fresh, report)


def test_a_trigger_that_takes_the_row_away_afterwards_keeps_it_out(fresh: Migration) -> None:
    trigger(fresh, f"DELETE FROM users WHERE id = '{FIRST}'; RETURN NULL;", when="AFTER")
    report = fresh.run(*USERS)["users"]
    assert fresh.query(OPEN) == [(FIRST, "refused_by_target", KEPT_OUT)]
    assert_true_to_the_target(fresh, report)


def test_a_row_that_gets_another_key_is_kept_out(fresh: Migration) -> None:
    """Nobody would find it under the key that is handed on."""
    trigger(fresh, f"IF NEW.id = '{FIRST}' THEN NEW.id := gen_random_uuid(); END IF; RETURN NEW;", "INSERT")
    report = fresh.run(*USERS)["users"]
    assert fresh.query(OPEN) == [(FIRST, "refused_by_target", KEPT_OUT)]
    assert fresh.query("SELECT count(*) FROM users") == [(19,)]
    assert_true_to_the_target(fresh, report)


def test_an_update_that_a_trigger_skips_keeps_the_last_good_state(pair: Migration) -> None:
    trigger(pair, skipping(FIRST), "UPDATE")
    pair.legacy.execute(f"UPDATE users SET name = 'Other Name' WHERE id IN ('{FIRST}', '{SECOND}')")
    report = pair.run(*USERS)["users"]
    assert pair.query(OPEN) == [(FIRST, "refused_by_target", KEPT_OUT)]
    names = f"SELECT last_name FROM users WHERE id IN ('{FIRST}', '{SECOND}') ORDER BY id"
    assert pair.query(names) == [("1",), ("Name",)]
    assert report.total(Ledger.UPDATED) == 1
    drop_trigger(pair)
    assert pair.run(*USERS)["users"].total(Ledger.UPDATED) == 1
    assert pair.query(names) == [("Name",), ("Name",)]


def test_an_adopted_row_that_a_trigger_does_not_let_fill_is_quarantined(fresh: Migration) -> None:
    """It is recognised, and becomes ours only once its empty values could be filled."""
    fresh.run("organizations")
    fresh.target.execute(
        "INSERT INTO users (id, organization_id, email, first_name, last_name, password_hash) SELECT gen_random_uuid(), id,"
        " 'user1@example.com', '', '', 'theirs' FROM organizations"
    )
    trigger(fresh, "RETURN NULL;", "UPDATE")
    report = fresh.run(*USERS)["users"]
    assert fresh.query(OPEN) == [(FIRST, "refused_by_target", KEPT_OUT)]
    assert report.total(Ledger.ADOPTED) == 0
    drop_trigger(fresh)
    assert fresh.run(*USERS)["users"].total(Ledger.ADOPTED) == 1


# --- values that a trigger changes ------------------------------------------------------------------------------

UPPER = "NEW.last_name := upper(NEW.last_name) || '!'; RETURN NEW;"
NAME = f"SELECT last_name FROM users WHERE id = '{FIRST}'"
WARNINGS = f"SELECT legacy_table, legacy_key FROM remoteiq_etl.decision_warnings WHERE rule = '{CHANGED_BY_TARGET}'"


def test_a_value_that_a_trigger_changes_makes_no_conflict_and_one_warning(fresh: Migration) -> None:
    trigger(fresh, UPPER)
    first = fresh.run(*USERS)["users"]
    assert fresh.query(NAME) == [("1!",)]
    assert first.warnings[CHANGED_BY_TARGET] == 20
    for _ in range(2):
        report = fresh.run(*USERS, mode=Mode.FULL)["users"]
        assert report.total(Ledger.UNCHANGED) == report.read
    fresh.legacy.execute(f"UPDATE users SET name = 'User other' WHERE id = '{FIRST}'")
    report = fresh.run(*USERS)["users"]
    assert (report.total(Ledger.UPDATED), report.total(Ledger.CONFLICT)) == (1, 0)
    assert fresh.query(NAME) == [("OTHER!",)]
    assert fresh.query(WARNINGS) == [("users", "last_name")]
    assert fresh.query("SELECT count(*) FROM remoteiq_etl.conflicts") == [(0,)]


def test_verification_knows_what_a_trigger_changed_and_undo_takes_the_rows_back(fresh: Migration) -> None:
    """What was given to the trigger is what the mapping says; the row as it is counts as ours."""
    trigger(fresh, UPPER)
    fresh.run(*USERS)
    (verdict,) = verify(fresh.plan, ["users"]).tables
    found = {(one.label, one.columns) for one in verdict.findings}
    assert (Label.EDITED_IN_TARGET, ("last_name",)) in found
    assert Label.BUG not in {label for label, _ in found}
    undone(fresh, EVERYTHING)
    assert fresh.query("SELECT count(*) FROM users") == [(0,)]


def test_an_edit_of_a_row_that_a_trigger_changed_is_still_an_edit(fresh: Migration) -> None:
    trigger(fresh, UPPER, "INSERT")
    fresh.run(*USERS)
    fresh.target.execute(f"UPDATE users SET last_name = 'Edited' WHERE id = '{FIRST}'")
    fresh.legacy.execute(f"UPDATE users SET name = 'User other' WHERE id = '{FIRST}'")
    assert fresh.run(*USERS)["users"].total(Ledger.CONFLICT) == 1
    assert fresh.query(NAME) == [("Edited",)]


def test_a_table_without_triggers_is_not_read_back(fresh: Migration) -> None:
    fresh.run(*USERS)
    assert fresh.query(WARNINGS) == []
    assert fresh.query("SELECT count(*) FROM remoteiq_etl.legacy_users_map WHERE last_written ? '#given'") == [(0,)]


@pytest.mark.parametrize("body", ["RETURN NULL;", "RAISE 'stays';"], ids=["skips", "raises"])
def test_a_link_that_the_target_does_not_let_go_stays_ours(pair: Migration, body: str) -> None:
    """The map says so as long as the row is there, a warning names it, and the table is completed."""
    grants = "SELECT count(*) FROM role_permissions"
    before = pair.query(grants)
    pair.target.execute(
        f"CREATE FUNCTION theirs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;"
        "CREATE TRIGGER trg_theirs BEFORE DELETE ON role_permissions FOR EACH ROW EXECUTE FUNCTION theirs()"
    )
    pair.legacy.execute(f"DELETE FROM role_permissions WHERE role_id = '{key('role', 3)}'")
    pair.run(*TABLES)
    assert pair.query(grants) == before
    assert pair.query("SELECT count(*) FROM remoteiq_etl.decision_warnings WHERE rule = 'kept_by_target'") == [(1,)]
    assert unbalanced(pair) == []
    pair.target.execute("DROP TRIGGER trg_theirs ON role_permissions")
    pair.run(*TABLES, mode=Mode.FULL)
    assert pair.query(grants) == [(before[0][0] - 1,)]
