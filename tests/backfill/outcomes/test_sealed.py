"""Secrets that are kept outside their target column are sealed with a key, and withheld without one."""

import json
from contextlib import closing
from typing import Any

import pytest

from remoteiq_etl.errors import ConfigurationError, SealBroken, SealingKeyMissing
from remoteiq_etl.lifecycle.operations import sealed_values
from remoteiq_etl.lifecycle.operations.sealed_values import Rotation, Value
from remoteiq_etl.sensitive.keys import SealingKeys
from remoteiq_etl.sensitive.sealing import Sealer
from remoteiq_etl.state.schema import State
from tests.support.migrating import Migration
from tests.support.server import Database

FIRST, SECOND = SealingKeys((bytes(range(32)),)), SealingKeys((bytes(range(32, 64)),))
BOTH = SealingKeys(SECOND.keys + FIRST.keys)
TABLES = ("organizations", "backup_jobs")
JOB, OTHER = "b0b00000-0000-4000-8000-000000000001", "b0b00000-0000-4000-8000-000000000002"
DESTINATION = '{"kind": "s3", "size": 1e400}'
TARGETS = '{"path": "/srv", "login": {"password": "s3cret-1"}}'
REDACTED = {"path": "/srv", "login": {"password": "[redacted]"}}


@pytest.fixture
def jobs(edge_db: Database, our_target: Database) -> Migration:
    """Two backup jobs whose destination is secret, and whose targets are in parts."""
    migration = Migration.of(edge_db, our_target)
    migration.once(add_jobs)
    return migration


def add_jobs(migration: Migration) -> None:
    migration.legacy.execute(
        "DELETE FROM backup_jobs; INSERT INTO backup_jobs (id, status, started_at, destination, targets)"
        f" SELECT id::uuid, 'success', now(), '{DESTINATION}', '{TARGETS}' FROM unnest(ARRAY['{JOB}', '{OTHER}']) AS id"
    )


def archived(migration: Migration, column: str, key: str = JOB) -> tuple[Any, ...]:
    """Value, key id and withheld of one archived value."""
    [row] = migration.query(
        'SELECT value, key_id, withheld, sealed IS NOT NULL FROM remoteiq_etl.legacy_archive WHERE "column" = %s AND legacy_key = %s',
        column,
        key,
    )
    assert row[3] is (row[1] is not None)
    return row[:3]


def opened(migration: Migration, keys: SealingKeys | None, key: str = JOB, **more: Any) -> dict[str, Value]:
    row = {"source_id": 1, "table": "backup_jobs", "key": key, "column": None, **more}
    sealer = None if keys is None else Sealer(keys, "default")
    with closing(migration.plan.target.connect()) as session:
        found = sealed_values.values(session, State(migration.plan.target, "remoteiq_etl"), sealer, row)
    return {value.name: value for value in found}


def rotate(migration: Migration, keys: SealingKeys, **more: Any) -> Rotation:
    with closing(migration.plan.target.connect()) as session:
        return sealed_values.rotate(session, State(migration.plan.target, "remoteiq_etl"), keys, **more)


def key_id(keys: SealingKeys) -> str:
    return Sealer(keys, "").key_id


def versions(migration: Migration) -> list[tuple[Any, ...]]:
    return migration.query("SELECT xmin::text, ctid::text FROM remoteiq_etl.legacy_archive ORDER BY 1, 2")


# --- the archive --------------------------------------------------------------------------------------------------


def test_with_a_key_a_secret_is_sealed_and_json_keeps_what_is_not_secret_in_clear(jobs: Migration) -> None:
    report = jobs.first_run(*TABLES, sealing_keys=FIRST)["backup_jobs"]
    assert archived(jobs, "destination") == (None, key_id(FIRST), False)
    assert archived(jobs, "targets") == (REDACTED, key_id(FIRST), False)
    values = opened(jobs, FIRST)
    assert json.loads(values["targets"].text or "") == json.loads(TARGETS)
    # Byte for byte, as PostgreSQL shows the legacy value: no double holds this number.
    assert values["destination"].text == jobs_text(jobs, "destination")
    assert "secret_withheld" not in report.warnings


def jobs_text(migration: Migration, column: str) -> str:
    with migration.legacy.connect() as connection:
        row = connection.execute(f"SELECT {column}::text FROM backup_jobs WHERE id = '{JOB}'".encode()).fetchone()
    assert row is not None
    return str(row[0])


def test_without_a_key_a_secret_is_withheld_and_counted_also_where_it_is_a_part_of_json(jobs: Migration) -> None:
    assert jobs.run(*TABLES, planning=True)["backup_jobs"].warnings["secret_withheld"] == 4
    assert jobs.query("SELECT count(*) FROM remoteiq_etl.legacy_archive") == [(0,)]
    report = jobs.run(*TABLES)["backup_jobs"]
    assert archived(jobs, "destination") == (None, None, True)
    assert archived(jobs, "targets") == (REDACTED, None, True)
    values = opened(jobs, None)
    assert (values["destination"].text, values["destination"].withheld) == (None, True)
    assert (json.loads(values["targets"].text or ""), values["targets"].withheld) == (REDACTED, True)
    assert report.warnings["secret_withheld"] == 4
    assert {(one.column, one.rows, one.clear, one.sealed, one.withheld) for one in report.archived} == {
        ("destination", 2, 0, 0, 2),
        ("targets", 2, 2, 0, 2),
    }


def test_what_was_withheld_is_sealed_when_a_key_comes_later(jobs: Migration) -> None:
    """By the next run, though nothing has changed in the legacy database; the one after it reads nothing."""
    jobs.first_run(*TABLES)
    report = jobs.run(*TABLES)["backup_jobs"]
    assert [(one.column, one.withheld) for one in report.archived] == [("destination", 2), ("targets", 2)]
    assert jobs.run(*TABLES, sealing_keys=FIRST)["backup_jobs"].read == 2
    assert archived(jobs, "destination") == (None, key_id(FIRST), False)
    assert archived(jobs, "targets") == (REDACTED, key_id(FIRST), False)
    assert jobs.run(*TABLES, sealing_keys=FIRST)["backup_jobs"].read == 0


def test_what_was_sealed_stays_sealed_when_the_key_is_lost(jobs: Migration) -> None:
    jobs.first_run(*TABLES, sealing_keys=FIRST)
    before = versions(jobs)
    jobs.legacy.execute("UPDATE backup_jobs SET note = 'read me again'")
    jobs.run(*TABLES)
    assert archived(jobs, "destination") == (None, key_id(FIRST), False)
    assert versions(jobs) == before
    assert json.loads(opened(jobs, FIRST)["targets"].text or "") == json.loads(TARGETS)


def test_a_repeated_run_with_the_same_key_writes_nothing_to_the_archive(jobs: Migration) -> None:
    jobs.first_run(*TABLES, sealing_keys=FIRST)
    before = versions(jobs)
    jobs.legacy.execute("UPDATE backup_jobs SET note = 'read me again'")
    jobs.run(*TABLES, sealing_keys=FIRST)
    assert versions(jobs) == before


def test_a_run_with_another_key_seals_what_it_reads_with_it(jobs: Migration) -> None:
    jobs.first_run(*TABLES, sealing_keys=FIRST)
    jobs.legacy.execute(f"UPDATE backup_jobs SET note = 'read me again' WHERE id = '{JOB}'")
    jobs.run(*TABLES, sealing_keys=BOTH)
    assert archived(jobs, "destination")[1] == key_id(SECOND)
    assert opened(jobs, BOTH)["destination"].text == opened(jobs, BOTH, OTHER)["destination"].text


def test_a_wrong_key_or_none_opens_nothing(jobs: Migration) -> None:
    jobs.first_run(*TABLES, sealing_keys=FIRST)
    with pytest.raises(SealingKeyMissing, match=key_id(FIRST)):
        opened(jobs, SECOND)
    with pytest.raises(ConfigurationError, match="REMOTEIQ_SEALING_KEY"):
        opened(jobs, None)


def test_values_that_were_swapped_between_rows_do_not_open(jobs: Migration) -> None:
    jobs.first_run(*TABLES, sealing_keys=FIRST)
    jobs.target.execute(
        "UPDATE remoteiq_etl.legacy_archive a SET sealed = b.sealed FROM remoteiq_etl.legacy_archive b"
        ' WHERE a."column" = b."column" AND a.legacy_key <> b.legacy_key AND a.sealed IS NOT NULL'
    )
    with pytest.raises(SealBroken, match=JOB):
        opened(jobs, FIRST)


def test_a_text_that_holds_json_with_a_secret_is_sealed_too(jobs: Migration) -> None:
    """Whatever the column says of itself; and a text that only looks like JSON stays as it was."""
    jobs.legacy.execute(
        """UPDATE users SET phone = '{"apiToken": "s3cret-2"}', city = '[ "Berlin" ]', state = '{oops' WHERE email LIKE 'ada%'"""
    )
    jobs.run("organizations", "users", sealing_keys=FIRST)
    rows = dict(
        jobs.query(
            """SELECT "column", ARRAY[value::text, (sealed IS NOT NULL)::text] FROM remoteiq_etl.legacy_archive
            WHERE legacy_table = 'users' AND "column" IN ('phone', 'city', 'state') AND value::text ~ 'apiToken|Berlin|oops'"""
        )
    )
    assert rows == {
        "phone": ['{"apiToken": "[redacted]"}', "true"],
        "city": ['"[ \\"Berlin\\" ]"', "false"],
        "state": ['"{oops"', "false"],
    }


# --- before images ------------------------------------------------------------------------------------------------

UPDATE = "UPDATE users SET password_hash = '$2b$new', name = 'Ada Byron' WHERE email ILIKE '%ada@example.com%'"


def images(migration: Migration) -> list[tuple[Any, ...]]:
    query = "SELECT id, new_key, operation, image, withheld, sealed, key_id FROM remoteiq_etl.before_images WHERE table_name = 'users'"
    return migration.query(f"{query} ORDER BY id")


def restored(migration: Migration, keys: SealingKeys, new_key: str) -> dict[str, Any]:
    """The image of a row with what was sealed put back: what an undo writes."""
    row = {"source_id": 1, "table": "users", "key": new_key, "column": None}
    with closing(migration.plan.target.connect()) as session:
        found = sealed_values.values(
            session, State(migration.plan.target, "remoteiq_etl"), Sealer(keys, "default"), row, before=True
        )
    [image] = [one[3] for one in images(migration) if one[1] == new_key]
    return {**image, **{value.name: json.loads(value.text or "null") for value in found}}


def test_with_a_key_the_image_of_an_updated_row_can_be_put_back_whole(edge_db: Database, our_target: Database) -> None:
    migration = Migration.of(edge_db, our_target)
    migration.run("organizations", "users", sealing_keys=FIRST)
    before = {str(row["id"]): row for row in migration.rows("users")}
    edge_db.execute(UPDATE)
    migration.run("organizations", "users", sealing_keys=FIRST)
    [(_, new_key, operation, image, withheld, _, by)] = images(migration)
    assert (operation, withheld, by) == ("update", [], key_id(FIRST))
    assert "password_hash" not in image
    assert before[new_key]["password_hash"] != "$2b$new"
    assert restored(migration, FIRST, new_key)["password_hash"] == before[new_key]["password_hash"]


def test_without_a_key_the_image_names_what_it_lacks(edge_db: Database, our_target: Database) -> None:
    migration = Migration.of(edge_db, our_target)
    migration.run("organizations", "users")
    edge_db.execute(UPDATE)
    migration.run("organizations", "users")
    [(_, _, _, image, withheld, by_column, by)] = images(migration)
    assert (withheld, by_column, by) == (["password_hash"], None, None)
    assert "password_hash" not in image


def test_an_adopted_row_is_sealed_as_it_was_before_our_first_write(edge_db: Database, our_target: Database) -> None:
    """JSON with secret parts, too: its other parts are in the image, the whole is sealed beside it."""
    settings = {"host": "mail.example.com", "password": "s3cret-3"}
    our_target.execute(
        "INSERT INTO organizations (id, name, slug) VALUES ('a1a1a1a1-0000-4000-8000-000000000001', 'Mine', 'default');"
        "INSERT INTO checks (organization_id, name, type, schedule, config) SELECT 'a1a1a1a1-0000-4000-8000-000000000001',"
        f" 'Ours', 'ping', '@every 1s', '{json.dumps(settings)}'"
    )
    edge_db.execute(
        "UPDATE checks SET name = 'Ours' WHERE id = (SELECT id FROM checks WHERE name <> '' ORDER BY id LIMIT 1)"
    )
    migration = Migration.of(edge_db, our_target)
    migration.run("organizations", "users", "checks", sealing_keys=FIRST)
    [(new_key, image, names)] = migration.query(
        "SELECT new_key, image, ARRAY(SELECT jsonb_object_keys(sealed)) FROM remoteiq_etl.before_images"
        " WHERE table_name = 'checks' AND operation = 'adopt'"
    )
    assert image["config"] == {**settings, "password": "[redacted]"}
    assert names == ["config"]
    row = {"source_id": 1, "table": "checks", "key": new_key, "column": "config"}
    with closing(migration.plan.target.connect()) as session:
        state = State(migration.plan.target, "remoteiq_etl")
        [value] = sealed_values.values(session, state, Sealer(FIRST, "default"), row, before=True)
    assert json.loads(value.text or "") == settings


def test_the_image_of_a_removed_row_keeps_what_only_sounds_secret(edge_db: Database, our_target: Database) -> None:
    """permission_key is the name of a permission: without it the grant could not be given back."""
    migration = Migration.of(edge_db, our_target)
    needed = ("organizations", "permissions", "roles", "role_permissions")
    migration.run(*needed)
    edge_db.execute("DELETE FROM role_permissions; UPDATE role_meta SET permissions = '{}'")
    assert migration.run(*needed)["role_permissions"].removed > 0
    kept = migration.query(
        "SELECT image ->> 'permission_key', withheld FROM remoteiq_etl.before_images"
        " WHERE table_name = 'role_permissions' AND operation = 'delete'"
    )
    assert kept
    assert all(name and name != "[redacted]" and withheld == [] for name, withheld in kept)


# --- rotation -----------------------------------------------------------------------------------------------------


@pytest.fixture
def sealed_jobs(jobs: Migration) -> Migration:
    """Twenty archived values and one image under the first key, and an image of another source."""
    jobs.once(seal_jobs)
    return jobs


def seal_jobs(jobs: Migration) -> None:
    jobs.legacy.execute(
        "INSERT INTO backup_jobs (id, status, started_at, destination) SELECT gen_random_uuid(), 'success', now(),"
        " jsonb_build_object('n', n) FROM generate_series(1, 16) AS n"
    )
    jobs.run(*TABLES, "users", sealing_keys=FIRST)
    jobs.legacy.execute(UPDATE)
    jobs.run("organizations", "users", sealing_keys=FIRST)


def all_opened(migration: Migration, keys: SealingKeys) -> list[str | None]:
    ids = migration.query("SELECT DISTINCT legacy_key FROM remoteiq_etl.legacy_archive WHERE sealed IS NOT NULL")
    [(new_key,)] = migration.query("SELECT new_key FROM remoteiq_etl.before_images WHERE sealed IS NOT NULL")
    tables = [(key, table) for (key,) in ids for table in ("backup_jobs", "users")]
    found = [value.text for key, table in tables for value in opened(migration, keys, key, table=table).values()]
    return [*sorted(map(str, found)), str(restored(migration, keys, new_key))]


def test_rotation_brings_everything_under_the_first_key_and_keeps_every_value(sealed_jobs: Migration) -> None:
    before = all_opened(sealed_jobs, FIRST)
    count = sealed_jobs.query("SELECT count(sealed) + 1 FROM remoteiq_etl.legacy_archive")[0][0]
    done = rotate(sealed_jobs, BOTH, rows_at_a_time=6)
    assert (done.rotated, done.keys, done.broken_rows) == (count, {key_id(SECOND): count}, 0)
    assert all_opened(sealed_jobs, SECOND) == before
    again = rotate(sealed_jobs, SECOND)
    assert (again.rotated, again.keys) == (0, {key_id(SECOND): count})


class Killed(Exception):
    """What ends a rotation half-way in a test."""


def test_a_rotation_that_was_killed_goes_on_where_it_ended(sealed_jobs: Migration) -> None:
    before = all_opened(sealed_jobs, FIRST)
    count = sealed_jobs.query("SELECT count(sealed) + 1 FROM remoteiq_etl.legacy_archive")[0][0]

    def kill(rotated: int) -> None:
        if rotated >= 12:
            raise Killed

    with pytest.raises(Killed):
        rotate(sealed_jobs, BOTH, rows_at_a_time=6, progress=kill)
    assert all_opened(sealed_jobs, BOTH) == before
    done = rotate(sealed_jobs, BOTH, rows_at_a_time=6)
    assert (done.rotated, done.keys) == (count - 12, {key_id(SECOND): count})
    assert all_opened(sealed_jobs, SECOND) == before


def test_a_rotation_without_the_old_key_is_refused_and_changes_nothing(sealed_jobs: Migration) -> None:
    before = versions(sealed_jobs)
    with pytest.raises(SealingKeyMissing, match=rf"rows under {key_id(FIRST)}\. Nothing was changed"):
        rotate(sealed_jobs, SECOND)
    assert versions(sealed_jobs) == before


def test_a_value_that_does_not_open_is_left_and_named_and_the_others_are_rotated(sealed_jobs: Migration) -> None:
    sealed_jobs.target.execute(
        f"""UPDATE remoteiq_etl.legacy_archive SET sealed = replace(sealed, split_part(sealed, '.', 3), 'AAAAAAAAAAAAAAAAAAAAAAAA')
        WHERE legacy_key = '{JOB}' AND "column" = 'destination'"""
    )
    done = rotate(sealed_jobs, BOTH, rows_at_a_time=6)
    assert (done.broken_rows, done.keys[key_id(FIRST)]) == (1, 1)
    assert done.broken == [f"legacy_archive / backup_jobs / {JOB} (destination)"]
    assert done.rotated == done.keys[key_id(SECOND)]


def test_values_of_each_source_stay_bound_to_it(jobs: Migration) -> None:
    """Two sources of one target: equal rows, other seals, both rotated."""
    jobs.first_run(*TABLES, sealing_keys=FIRST)
    jobs.run(*TABLES, sealing_keys=FIRST, source="branch", organization_slug="branch")
    query = "SELECT count(DISTINCT sealed), count(*) FROM remoteiq_etl.legacy_archive WHERE sealed IS NOT NULL"
    assert jobs.query(query) == [(8, 8)]
    assert rotate(jobs, BOTH).keys == {key_id(SECOND): 8}


# --- counts -------------------------------------------------------------------------------------------------------


def test_what_is_retired_is_counted_per_run(edge_db: Database, our_target: Database) -> None:
    migration = Migration.of(edge_db, our_target)
    report = migration.run("organizations", "users", "user_security", sealing_keys=FIRST)["user_security"]
    [retired] = [one for one in report.archived if one.rule == "retired"]
    with edge_db.connect() as connection:
        row = connection.execute("SELECT count(totp_secret), sum(octet_length(totp_secret)) FROM users").fetchone()
    assert (retired.legacy_table, retired.column, retired.rows, (retired.retired, retired.bytes)) == (
        "users",
        "totp_secret",
        0,
        row,
    )
    recorded = migration.query(
        """SELECT "column", rule, "rows", bytes, clear, sealed, withheld, retired FROM remoteiq_etl.archive_counts
        WHERE table_name = 'user_security' ORDER BY "column" """
    )
    assert recorded == [
        (one.column, one.rule, one.rows, one.bytes, one.clear, one.sealed, one.withheld, one.retired)
        for one in sorted(report.archived, key=lambda one: one.column)
    ]
    assert "two_factor_secret" in {one[0] for one in recorded}
