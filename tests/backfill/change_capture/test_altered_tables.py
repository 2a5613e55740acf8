"""Data that changes without a new xmin: rows that read otherwise after DDL, and rows that were not written where they are."""

from contextlib import closing
from dataclasses import replace

import pytest

from remoteiq_etl.lifecycle.activity import last_activity
from remoteiq_etl.lifecycle.operations import changes
from remoteiq_etl.state.schema import State
from remoteiq_etl.verify.engine import verify
from tests.support import drifting
from tests.support.migrating import Migration
from tests.support.server import Database

#: A table without a decide step, read row by row.
TABLE = "permissions"

#: Keys of rows that are carried as they are, and that of the older rows.
PLAIN = ("agents.manage", "audit.view", "older.key")

#: What is done to it, and what of it the run names.
ALTERED = {
    "a column dropped and added anew with a default": (
        "ALTER TABLE permissions DROP COLUMN label, ADD COLUMN label text NOT NULL DEFAULT 'Another'",
        "its columns",
    ),
    "a column renamed into the place of another": (
        "ALTER TABLE permissions ADD COLUMN wider text NOT NULL DEFAULT 'Another';"
        " ALTER TABLE permissions RENAME COLUMN label TO narrow; ALTER TABLE permissions RENAME COLUMN wider TO label;"
        " ALTER TABLE permissions DROP COLUMN narrow",
        "its columns",
    ),
    "two columns that change their names": (
        "ALTER TABLE permissions RENAME COLUMN label TO other; ALTER TABLE permissions RENAME COLUMN group_label TO label;"
        " ALTER TABLE permissions RENAME COLUMN other TO group_label",
        "its columns",
    ),
    "a child with old rows": (
        "ALTER TABLE older INHERIT permissions",
        "its partitions or children",
    ),
}
_OLDER = (
    "CREATE TABLE older (LIKE permissions INCLUDING ALL);"
    " INSERT INTO older (id, key, label, group_key, group_label) VALUES (gen_random_uuid(), 'older.key', 'Older', 'g', 'G')"
)


def labels(migration: Migration) -> dict[str, tuple[str, str]]:
    return {row["permission_key"]: (row["label"], row["group_label"]) for row in migration.rows("permissions")}


def in_legacy(legacy: Database) -> dict[str, tuple[str, str]]:
    """Every legacy row by its key."""
    with legacy.connect() as connection:
        rows = connection.execute("SELECT key, label, group_label FROM permissions").fetchall()
    return {key: (label, group) for key, label, group in rows}


def behind(migration: Migration, asset: str = TABLE) -> int | None:
    plan = migration.plan
    with closing(plan.target.connect()) as target, closing(plan.legacy.connect()) as legacy:
        seen = changes.read_passes(target, State(plan.target, plan.state_schema), 1)
        return changes.count_changed(legacy, seen)[asset]


@pytest.mark.parametrize("how", ALTERED)
def test_a_run_reads_all_of_a_table_that_was_altered(again: Migration, edge_db: Database, how: str) -> None:
    """The sensor and `status --changes` notice it first; afterwards nothing is read again."""
    edge_db.execute(_OLDER)
    again.run(TABLE)
    assert (behind(again), again.run(TABLE)[TABLE].reading) == (0, "nothing changed")
    activity = last_activity(again.plan.legacy)
    statement, told = ALTERED[how]
    edge_db.execute(statement)
    assert last_activity(again.plan.legacy) != activity
    assert behind(again) == len(in_legacy(edge_db))
    report = again.run(TABLE)[TABLE]
    assert report.reading.startswith(f"full: {TABLE} was altered since ({told}")
    legacy, found = in_legacy(edge_db), labels(again)
    plain = [key for key in legacy if key in PLAIN]
    assert {key: found[key] for key in plain} == {key: legacy[key] for key in plain}
    assert (behind(again), again.run(TABLE)[TABLE].reading) == (0, "nothing changed")


@pytest.fixture
def enumerated(edge_db: Database) -> tuple[str, str, str]:
    """An enum type of the legacy database that a table uses: its name, table and column."""
    query = (
        "SELECT t.typname, c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'"
        " JOIN pg_type t ON t.oid = a.atttypid AND t.typtype = 'e' WHERE c.relnamespace = 'public'::regnamespace ORDER BY 2, 3"
    )
    with edge_db.connect() as connection:
        found = connection.execute(query.encode()).fetchall()
    return found[0]


def _rename(edge_db: Database, kind: str, swap: bool) -> None:
    with edge_db.connect() as connection:
        query = f"SELECT enumlabel FROM pg_enum WHERE enumtypid = '{kind}'::regtype ORDER BY enumsortorder LIMIT 2"
        (first,), (second,) = connection.execute(query.encode()).fetchall()
        connection.execute(f"ALTER TYPE {kind} RENAME VALUE '{first}' TO 'kept for now'".encode())
        if swap:
            connection.execute(f"ALTER TYPE {kind} RENAME VALUE '{second}' TO '{first}'".encode())
            connection.execute(f"ALTER TYPE {kind} RENAME VALUE 'kept for now' TO '{second}'".encode())


@pytest.mark.parametrize("swap", [True, False])
def test_labels_that_were_renamed_or_swapped_are_noticed(
    again: Migration, edge_db: Database, enumerated: tuple[str, str, str], swap: bool
) -> None:
    """Every asset that reads the table is read as a whole."""
    kind, table, _ = enumerated
    readers = {
        asset for (asset,) in again.query("SELECT table_name FROM remoteiq_etl.passes WHERE legacy_table = %s", table)
    }
    again.run(*readers)
    _rename(edge_db, kind, swap)
    for asset, report in again.run(*readers).items():
        assert f"{table} was altered since (labels of its types)" in report.reading, asset


def test_more_rows_than_were_written_are_a_full_pass(again: Migration, edge_db: Database) -> None:
    """A row that has the xmin of long ago: COPY FREEZE, a partition exchanged for another, a policy lifted."""
    again.run(TABLE)
    again.target.execute(
        f"UPDATE remoteiq_etl.passes SET legacy_rows = legacy_rows - 1 WHERE table_name = '{TABLE}' AND legacy_table = '{TABLE}'"
    )
    assert behind(again) == 1
    assert again.run(TABLE)[TABLE].reading == f"full: {TABLE} has more rows than were written since"


@pytest.mark.parametrize("detach", [True, False])
def test_rows_of_partitions_are_found_and_counted(again: Migration, edge_db: Database, detach: bool) -> None:
    """A table that is partitioned in place: an old partition attached is read, and the sensor hears writes to it."""
    edge_db.execute(
        "CREATE TABLE older (LIKE permissions INCLUDING ALL);"
        " INSERT INTO older (id, key, label, group_key, group_label)"
        " VALUES ('0a000000-0000-4000-8000-000000000001', 'older.key', 'Older', 'g', 'G');"
        " ALTER TABLE permissions RENAME TO permissions_now;"
        " CREATE TABLE permissions (LIKE permissions_now INCLUDING DEFAULTS) PARTITION BY HASH (id);"
        " CREATE TABLE permissions_0 PARTITION OF permissions FOR VALUES WITH (modulus 2, remainder 0);"
        " CREATE TABLE permissions_1 PARTITION OF permissions FOR VALUES WITH (modulus 2, remainder 1);"
        " INSERT INTO permissions SELECT * FROM permissions_now"
    )
    again.run(TABLE)
    assert again.run(TABLE)[TABLE].reading == "nothing changed"
    activity = last_activity(again.plan.legacy)
    if detach:
        edge_db.execute("ALTER TABLE permissions DETACH PARTITION permissions_0")
        assert "its partitions" in again.run(TABLE)[TABLE].reading
    else:
        edge_db.execute("UPDATE permissions SET label = 'Written in a partition'; SELECT pg_stat_force_next_flush()")
        assert behind(again) == len(in_legacy(edge_db))
    assert last_activity(again.plan.legacy) != activity


def test_a_verdict_does_not_stand_when_a_table_of_either_side_was_altered(again: Migration, edge_db: Database) -> None:
    def looked() -> tuple[int, dict[str, int]]:
        (verdict,) = verify(again.plan, [TABLE]).tables
        return verdict.rows_compared, {str(label): count for label, count in verdict.labels.items()}

    again.run(TABLE)
    assert looked()[1] == {}
    stands = [
        fact[TABLE]["read"] for (fact,) in again.query("SELECT tables FROM remoteiq_etl.verification_runs ORDER BY id")
    ]
    looked()
    read = "SELECT tables FROM remoteiq_etl.verification_runs ORDER BY id DESC LIMIT 1"
    assert (stands, again.query(read)[0][0][TABLE]["read"]) == ([True], False)
    edge_db.execute("ALTER TABLE permissions DROP COLUMN label, ADD COLUMN label text NOT NULL DEFAULT 'Another'")
    assert "changed_in_legacy_since" in looked()[1]
    again.run(TABLE)
    assert looked()[1] == {}
    again.target.execute("ALTER TABLE permissions DROP COLUMN label, ADD COLUMN label text NOT NULL DEFAULT 'Wrong'")
    assert looked()[1] != {}


def test_what_an_older_program_has_not_noted_is_taken_as_it_is_and_noted(again: Migration, edge_db: Database) -> None:
    """An upgrade of the state reads nothing again; from then on what is altered is noticed."""
    again.run(TABLE)
    again.target.execute("UPDATE remoteiq_etl.passes SET shape = NULL")
    assert again.run(TABLE)[TABLE].reading == "nothing changed"
    edge_db.execute("ALTER TABLE permissions DROP COLUMN label, ADD COLUMN label text NOT NULL DEFAULT 'Another'")
    assert "was altered since" in again.run(TABLE)[TABLE].reading


def test_a_table_that_gets_a_column_that_nobody_reads_is_not_read_again(again: Migration, edge_db: Database) -> None:
    again.run(TABLE)
    edge_db.execute(
        "ALTER TABLE permissions ADD COLUMN unknown int DEFAULT 1; CREATE INDEX ON permissions (label); ANALYZE"
    )
    assert again.run(TABLE)[TABLE].reading == "nothing changed"


def test_old_rows_of_a_partition_that_is_attached_are_read(again: Migration, edge_db: Database) -> None:
    """Written long before, in a table that nobody read: their xmin is older than every watermark."""
    edge_db.execute(
        f"{_OLDER}; ALTER TABLE permissions RENAME TO permissions_now; UPDATE older SET group_key = 'older';"
        " CREATE TABLE permissions (LIKE permissions_now INCLUDING DEFAULTS) PARTITION BY LIST (group_key);"
        " CREATE TABLE permissions_rest PARTITION OF permissions DEFAULT;"
        " INSERT INTO permissions SELECT * FROM permissions_now"
    )
    again.run(TABLE)
    assert (again.run(TABLE)[TABLE].reading, "older.key" in labels(again)) == ("nothing changed", False)
    activity = last_activity(again.plan.legacy)
    edge_db.execute("ALTER TABLE permissions ATTACH PARTITION older FOR VALUES IN ('older')")
    assert last_activity(again.plan.legacy) != activity
    assert again.run(TABLE)[TABLE].reading.startswith(f"full: {TABLE} was altered since (its partitions or children")
    assert labels(again)["older.key"] == ("Older", "G")
    (verdict,) = verify(again.plan, [TABLE]).tables
    assert (verdict.bugs, again.run(TABLE)[TABLE].reading) == (0, "nothing changed")


def test_rows_that_a_lifted_policy_shows_again_are_read(again: Migration, edge_db: Database) -> None:
    """While it hides rows, nothing of the table is touched; rows written in the meantime and old ones come afterwards."""
    role = edge_db.select_only_role()
    reader = replace(again, plan=replace(again.plan, legacy=replace(again.plan.legacy, url=edge_db.url_as(role))))
    reader.run(TABLE)
    before = labels(again)
    edge_db.execute(
        "ALTER TABLE permissions ENABLE ROW LEVEL SECURITY; CREATE POLICY most ON permissions USING (key <> 'audit.view');"
        " UPDATE permissions SET label = 'Seen' WHERE key = 'agents.manage';"
        " INSERT INTO permissions (id, key, label, group_key, group_label) VALUES (gen_random_uuid(), 'late.key', 'Late', 'g', 'G')"
    )
    settled = drifting.settled(edge_db, again.target, reader=role)
    assert "row security hides rows of permissions" in str(drifting.run(settled, TABLE)[TABLE].blocked)
    assert labels(again) == before
    assert verify(settled.plan(), [TABLE]).word == "failed"
    edge_db.execute("DROP POLICY most ON permissions; ALTER TABLE permissions DISABLE ROW LEVEL SECURITY")
    drifting.run(settled, TABLE)
    found = labels(again)
    assert (found["agents.manage"][0], found["late.key"][0], found.keys() >= before.keys()) == ("Seen", "Late", True)
