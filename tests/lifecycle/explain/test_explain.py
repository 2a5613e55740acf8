"""What became of a legacy row, and what is behind a target row, as the state schema and both databases tell it."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict

import psycopg
import pytest

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.config.conflicts import ConflictPolicies, ConflictPolicy
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.row_keys import one_key
from remoteiq_etl.lifecycle.explain import Explainer, Explanation
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.sensitive.keys import SealingKeys
from remoteiq_etl.state.schema import State
from schemas import legacy as legacy_schema
from tests.support.migrating import Migration, specs
from tests.support.undoing import last_run, undone

ADA, DEVICE = "c5000000-0000-4000-8000-000000000001", "d0000001-0000-4000-8000-000000000000"
NOWHERE = "00000000-0000-4000-8000-00000000ffff"


@contextlib.contextmanager
def _explainer(migration: Migration, *, legacy: bool = True) -> Iterator[Explainer]:
    plan = migration.plan
    with contextlib.ExitStack() as stack:

        def opened(session: Session) -> Session:
            return stack.enter_context(contextlib.closing(session))

        old = opened(plan.legacy.connect()) if legacy else None
        yield Explainer(
            opened(plan.target.connect()), State(plan.target, plan.state_schema), "default", 1, specs(), old
        )


def _of(migration: Migration, table: str, *keys: str) -> Explanation:
    with _explainer(migration) as explainer:
        return explainer.of(table, keys)


def _of_new(migration: Migration, key: str, table: str | None = None) -> Explanation:
    with _explainer(migration) as explainer:
        return explainer.of_new([key], table)


# --- from the legacy side -------------------------------------------------------------------------------------------


def test_a_legacy_row_leads_to_every_target_row_that_it_became(settled: Migration) -> None:
    found = _of(settled, "users", ADA)
    assert {row.table for row in found.target} == {"users", "user_roles", "user_security"}
    assert {(row.origin, row.present) for row in found.target} == {("ours", True)}
    (row,) = found.legacy
    assert row.present is True
    assert row.values is not None
    assert row.values["email"] == "ada@example.com"
    assert {(entry.state, entry.first_run) for entry in row.entries} == {("live", 1)}
    assert found.runs[1].status == "succeeded"


def test_each_column_of_a_target_row_has_its_value_its_legacy_columns_and_its_rule(settled: Migration) -> None:
    (row,) = (row for row in _of(settled, "devices", DEVICE).target if row.table == "devices")
    columns = {column.name: column for column in row.columns}
    assert columns["architecture"].value == "x64"
    assert columns["architecture"].sources == ("devices.arch", "agents.arch")
    assert columns["architecture"].rule == "by the words of devices.architecture, else unchanged"
    assert all(column.rule for column in row.columns)
    assert not any(column.edited for column in row.columns)


def test_a_merged_row_leads_to_the_row_that_won(settled: Migration) -> None:
    (key, winner) = settled.query(
        "SELECT legacy_key, new_key::text FROM remoteiq_etl.map_roles WHERE state = 'merged' ORDER BY 1 LIMIT 1"
    )[0]
    found = _of(settled, "roles", key)
    assert [(entry.state, entry.rule) for entry in found.legacy[0].entries] == [("merged", "equal_name")]
    assert winner in {row.key for row in found.target}
    assert key in {entry.legacy_key for row in found.target for entry in row.behind}


@pytest.mark.parametrize(
    ("table", "key", "into"),
    [
        ("role_meta", "AUSSENDIENST", "roles"),  # by the natural key that its name makes
        ("imap_state", " ALERTS ", "email_ingest_state"),
        ("company_profile", "1", "organizations"),  # by being part of the only row
        ("branding_settings", "3", "organization_settings"),
    ],
)
def test_a_row_merged_without_an_entry_in_the_map_leads_there_too(
    settled: Migration, table: str, key: str, into: str
) -> None:
    found = _of(settled, table, key)
    assert [(one.outcome, one.table) for one in found.legacy[0].left_out] == [("merged", into)]
    (row,) = (row for row in found.target if row.table == into)
    assert row.present
    assert (table, key) in {(one.legacy_table, one.legacy_key) for one in row.merged}


def test_settings_say_which_path_each_column_went_to(settled: Migration) -> None:
    paths = {one.column: (one.settings_type, one.path, one.outcome) for one in
             _of(settled, "branding_settings", "3").legacy[0].settings}  # fmt: skip
    assert paths["primary_color"] == ("branding", "primaryColor", "carried")
    assert paths["secondary_color"] == ("branding", "secondaryColor", "empty")


def test_quarantine_held_left_out_and_archive_are_told_with_their_rules(settled: Migration) -> None:
    loser = _of(settled, "users", "c5000000-0000-4000-8000-000000000002").legacy[0]
    assert ("users", "duplicate_email") in {(one.table, one.rule) for one in loser.quarantine}
    assert ("email", "normalised", "in clear") in {(one.column, one.rule, one.kept) for one in loser.archive}
    held = _of(settled, "login_challenges", "1c000003-0000-4000-8000-000000000000").legacy[0]
    assert [(one.parent_table, one.column, one.released_run) for one in held.held] == [("users", "user_id", None)]
    left_out = _of(settled, "company_profile", "2").legacy[0]
    assert [(one.outcome, one.rule, one.into) for one in left_out.left_out] == [
        ("archived", "second_singleton_row", None)
    ]


def test_a_key_of_several_columns_is_given_in_parts_or_as_an_array(settled: Migration) -> None:
    ((key,),) = settled.query(
        "SELECT legacy_key FROM remoteiq_etl.map_role_permissions WHERE legacy_table = 'role_permissions' AND state = 'live'"
        " ORDER BY 1 LIMIT 1"
    )
    parts = json_text.parse(key)
    spaced = ", ".join(f'"{part}"' for part in parts)
    assert _of(settled, "role_permissions", *parts) == _of(settled, "role_permissions", f"[{spaced}]")
    assert _of(settled, "role_permissions", key).legacy[0].present is True


def test_one_part_is_a_key_as_it_stands_unless_it_is_an_array_of_texts() -> None:
    assert one_key(["12", "3"]) == '["12","3"]'
    assert one_key(['["12", "3"]']) == '["12","3"]'
    assert one_key(["[no array"]) == "[no array"
    assert one_key(['[{"a": 1}]']) == '[{"a": 1}]'


def test_every_legacy_table_is_explained(settled: Migration) -> None:
    """One row of each legacy table that has any."""
    with _explainer(settled) as explainer:
        for table in legacy_schema.metadata.tables.values():
            columns = [column.name for column in table.primary_key.columns]
            chosen = ", ".join(f'"{name}"::text' for name in columns)
            with settled.legacy.connect() as connection:
                keys = connection.execute(f'SELECT {chosen} FROM "{table.name}" LIMIT 1'.encode()).fetchone()
            if keys is not None:
                found = explainer.of(table.name, [str(key) for key in keys])
                assert found.legacy[0].known, table.name
                assert found.legacy[0].present, table.name


def test_no_secret_of_any_user_token_or_channel_is_told(settled: Migration) -> None:
    secrets = ("users.password_hash", "users.totp_secret", "personal_tokens.token_hash", "email_settings.smtp_password")
    for place in secrets:
        table, column = place.split(".")
        key = legacy_schema.metadata.tables[f"legacy.{table}"].primary_key.columns.keys()[0]
        with settled.legacy.connect() as connection:
            query = f"SELECT {key}::text, {column} FROM {table} WHERE length({column}) > 5 ORDER BY 1 LIMIT 1"
            row = connection.execute(query.encode()).fetchone()
        assert row is not None, place
        told = json.dumps(asdict(_of(settled, table, row[0])), default=str)
        assert row[1] not in told, place


# --- from the target side -------------------------------------------------------------------------------------------


def test_a_target_row_leads_back_to_every_legacy_key_and_to_what_was_decided_for_it(settled: Migration) -> None:
    found = _of_new(settled, DEVICE)
    (row,) = found.target
    assert {("devices", "live"), ("agents", "decided"), ("device_text", "decided")} == {
        (entry.legacy_table, entry.state) for entry in row.behind
    }
    assert {(one.table, one.key) for one in found.legacy} >= {("devices", DEVICE), ("agents", "1")}


def test_a_row_of_a_target_table_is_found_by_its_key_or_by_the_natural_key_that_it_was_made_from(
    settled: Migration,
) -> None:
    by_natural_key = _of(settled, "sites", '["acme", "hq"]')
    (row,) = by_natural_key.target
    assert [(entry.legacy_table, entry.legacy_key) for entry in row.behind] == [("derived", '["acme","hq"]')]
    assert _of(settled, "sites", row.key) == _of_new(settled, row.key, "sites")
    assert _of(settled, "sites", row.key).target == by_natural_key.target


def test_a_seeded_row_says_so(settled: Migration) -> None:
    ((key,),) = settled.query("SELECT new_key::text FROM remoteiq_etl.map_checks WHERE legacy_table = 'seed' LIMIT 1")
    (row,) = _of_new(settled, key, "checks").target
    assert [(entry.legacy_table, entry.state) for entry in row.behind] == [("seed", "live")]
    assert row.origin == "ours"


def test_a_row_that_nobody_migrated_is_not_ours(again: Migration) -> None:
    again.target.execute(
        "INSERT INTO permissions (permission_key, label, group_key, group_label) VALUES ('of.others', 'O', 'o', 'O')"
    )
    (row,) = _of_new(again, "of.others").target
    assert (row.table, row.origin, row.present, row.behind, row.writes) == ("permissions", "not ours", True, (), ())


# --- what happened since ----------------------------------------------------------------------------------------------


def test_an_edit_a_conflict_and_our_writes_are_told_with_what_was_there_before(again: Migration) -> None:
    again.legacy.execute(f"UPDATE devices SET os = 'linux' WHERE id = '{DEVICE}'")
    again.run("devices")
    again.target.execute(f"UPDATE devices SET operating_system = 'plan9' WHERE id = '{DEVICE}'")
    again.legacy.execute(f"UPDATE devices SET os = 'macos' WHERE id = '{DEVICE}'")
    again.run("devices")
    (row,) = (row for row in _of(again, "devices", DEVICE).target if row.table == "devices")
    insert, update = row.writes
    assert (insert.operation, insert.run_id) == ("insert", 1)
    assert (update.operation, "operating_system" in update.changed) == ("update", True)
    assert update.image is not None
    assert update.image["operating_system"] == "windows"
    assert [column.name for column in row.columns if column.edited] == ["operating_system"]
    assert [(one.columns, one.resolution) for one in row.conflicts] == [(["operating_system"], None)]
    again.run("devices", conflicts=ConflictPolicies(ConflictPolicy.TAKE_LEGACY))
    (row,) = (row for row in _of(again, "devices", DEVICE).target if row.table == "devices")
    assert [write.operation for write in row.writes] == ["insert", "update", "update"]
    assert not any(column.edited for column in row.columns)
    assert row.conflicts[-1].resolution == "take_legacy"


def test_what_an_undo_took_back_says_so(again: Migration) -> None:
    """The write of a row that is as before, and the key of one that is gone again."""
    ticket = "7c0000ff-0000-4000-8000-000000000000"
    again.legacy.execute(
        f"UPDATE devices SET os = 'linux' WHERE id = '{DEVICE}'; INSERT INTO tickets (id, title) VALUES ('{ticket}', 'New')"
    )
    again.run("devices", "tickets")
    undo = undone(again, UndoScope(run=last_run(again)))
    (row,) = (row for row in _of(again, "devices", DEVICE).target if row.table == "devices")
    assert [(write.operation, write.undone_by) for write in row.writes] == [("insert", None), ("update", undo.undo_id)]
    (gone,) = (row for row in _of(again, "tickets", ticket).target if row.table == "tickets")
    assert (gone.present, gone.origin, {entry.state for entry in gone.behind}) == (False, "ours", {"decided", "undone"})


def test_a_row_deleted_in_the_target_and_one_gone_from_legacy_say_so(again: Migration) -> None:
    again.target.execute("DELETE FROM contacts")
    again.run("contacts", mode=Mode.FULL)
    ((key,),) = again.query("SELECT min(new_key::text) FROM remoteiq_etl.map_contacts WHERE state = 'deleted'")
    (row,) = _of_new(again, key).target
    assert (row.present, row.origin, row.columns) == (False, "ours", ())
    again.legacy.execute("DELETE FROM trusted_devices")
    found = _of(again, "trusted_devices", "7d000001-0000-4000-8000-000000000000")
    assert found.legacy[0].present is False


def test_a_sealed_value_is_said_to_be_sealed_and_not_opened(again: Migration) -> None:
    again.run("agents", mode=Mode.FULL, sealing_keys=SealingKeys((bytes(range(32)),)))
    archive = {one.column: (one.kept, one.value) for one in _of(again, "agents", "1").legacy[0].archive}
    assert archive["token_hash"] == ("sealed", None)


# --- nothing found ----------------------------------------------------------------------------------------------------


def test_an_unknown_key_says_where_it_was_looked_for_and_which_keys_are_like_it(settled: Migration) -> None:
    found = _of(settled, "agents", "22")
    assert not found.found
    assert found.looked[:2] == ("the legacy table agents", "the target table agents")
    assert found.near[0] in ("21", "23")
    assert _of(settled, "users", ADA[:-1] + "f").near
    assert _of(settled, "check_runs", "no uuid at all").near == ()
    assert not _of_new(settled, NOWHERE).found


def test_a_row_that_no_run_has_read_yet_is_told_from_one_that_is_not_there(again: Migration) -> None:
    again.legacy.execute(f"INSERT INTO roles (id, name) VALUES ('{NOWHERE}', 'brand new')")
    found = _of(again, "roles", NOWHERE)
    assert found.found
    assert (found.legacy[0].present, found.legacy[0].known, found.target) == (True, False, ())


def test_without_the_legacy_database_the_rest_is_told(settled: Migration) -> None:
    with _explainer(settled, legacy=False) as explainer:
        found = explainer.of("users", [ADA])
        nothing = explainer.of("users", [NOWHERE])
    assert (found.legacy[0].present, found.legacy[0].values) == (None, None)
    assert len(found.target) == 3
    assert nothing.looked[0] == "the legacy table users (which cannot be reached)"


def test_an_unreadable_legacy_table_is_no_missing_row(again: Migration) -> None:
    with _explainer(again) as explainer, psycopg.connect(again.legacy.url, autocommit=True) as connection:
        connection.execute("ALTER TABLE users RENAME TO users_away")
        assert explainer.of("users", [ADA]).legacy[0].present is None
