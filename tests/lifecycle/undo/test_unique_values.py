"""Unique values that changed hands go back to whom they belonged; what somebody else has now blocks before anything is written."""

from dataclasses import replace

import pytest

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.errors import UndoBlocked, UndoMoved
from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.lifecycle.undo.execute import execute
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.transform_context import Context
from tests.support.migrating import Migration
from tests.support.small_installation import key
from tests.support.undoing import last_run, place_of, planned, undone

USER, NEW = key("user", 1), "c9000000-0000-4000-8000-000000000001"
_EXCHANGE = """
UPDATE {table} SET {column} = '{free}' WHERE {column} = '{one}';
UPDATE {table} SET {column} = '{one}' WHERE {column} = '{other}';
UPDATE {table} SET {column} = '{other}' WHERE {column} = '{free}';
"""


def ids(migration: Migration, table: str, column: str) -> dict[str, str]:
    """Who has which value."""
    return dict(migration.query(f"SELECT id::text, {column}::text FROM {table}"))


@pytest.mark.parametrize(
    ("table", "column", "one", "other", "free"),
    [
        ("users", "email", "user1@example.com", "user2@example.com", "free@example.com"),
        ("devices", "hostname", "host-1", "host-2", "free"),
        ("agents", "agent_uuid", key("agent", 1), key("agent", 2), NEW),
    ],
)
def test_values_that_were_exchanged_are_exchanged_back(
    pair: Migration, table: str, column: str, one: str, other: str, free: str
) -> None:
    before = ids(pair, table, column)
    pair.legacy.execute(_EXCHANGE.format(table=table, column=column, one=one, other=other, free=free))
    pair.run(table)
    after = ids(pair, table, column)
    assert {row for row in before if before[row] != after[row]} == {
        row for row in before if before[row] in (one, other)
    }
    undone(pair, UndoScope(run=last_run(pair)))
    assert ids(pair, table, column) == before
    pair.run(table)
    assert ids(pair, table, column) == after


DEVICES = tuple(key("device", number) for number in (1, 2))
#: A device of the new application that no agent has.
SPARE = "c9000000-0000-4000-8000-000000000002"


@pytest.fixture
def exchanged(pair: Migration) -> Migration:
    """Two agents whose devices were exchanged in one run, as far as the state knows, by way of a third one."""
    (organization_site,) = pair.query("SELECT site_id FROM devices WHERE id = %s", DEVICES[0])[0]
    pair.target.execute(
        f"INSERT INTO devices (id, site_id, hostname) VALUES ('{SPARE}', '{organization_site}', 'spare')"
    )
    one, other = agents_of(pair, *DEVICES)
    lead(pair, {one: SPARE, other: DEVICES[0]})
    lead(pair, {one: DEVICES[1], other: DEVICES[0]})
    assert agents_of(pair, *DEVICES) == [other, one]
    runs = "UPDATE remoteiq_etl.before_images SET run_id = {last} WHERE run_id = {last} - 1"
    pair.target.execute(runs.format(last=last_run(pair)))
    return pair


def agents_of(migration: Migration, *devices: str) -> list[str]:
    found = dict(migration.query("SELECT device_id::text, id::text FROM agents"))
    return [found[device] for device in devices]


def lead(migration: Migration, devices: dict[str, str]) -> None:
    """A run that lets these agents lead to these devices. Legacy cannot say so: its pairs stay while the device is there."""
    spec = migration.plan.specs["agents"]
    (source,) = spec.streamed

    def transform(batch: Batch, context: Context) -> Batch:
        batch = source.transform(batch, context)
        ids = batch.columns["id"]
        batch["device_id"] = ids.map(devices).astype(TEXT).fillna(batch.columns["device_id"])
        return batch

    changed = replace(spec, sources=(replace(source, transform=transform),))
    migration.run("agents", specs={**migration.plan.specs, "agents": changed}, mode=Mode.FULL)


def test_parents_that_were_exchanged_are_exchanged_back(exchanged: Migration) -> None:
    """A device has one agent at the most, and an agent always one: they leave theirs for devices of nobody."""
    exchanged.target.execute("INSERT INTO devices (hostname) VALUES ('more')")
    one, other = agents_of(exchanged, *DEVICES)
    undone(exchanged, UndoScope(run=last_run(exchanged)))
    assert agents_of(exchanged, *DEVICES) == [other, one]


def test_without_a_free_parent_the_error_says_what_to_do(exchanged: Migration) -> None:
    """Nothing of the batch is written; with enough free devices the same rows go back."""
    exchanged.target.execute(
        f"INSERT INTO agents (device_id, agent_uuid, version) VALUES ('{SPARE}', gen_random_uuid(), '1')"
    )
    before = agents_of(exchanged, *DEVICES)
    plan = planned(exchanged, UndoScope(run=last_run(exchanged)))
    with pytest.raises(
        UndoMoved, match="2 rows exchange them, each needs a row of devices that no row of agents refers to"
    ):
        execute(place_of(exchanged), plan)
    assert agents_of(exchanged, *DEVICES) == before
    exchanged.target.execute("INSERT INTO devices (hostname) VALUES ('for the undo'), ('of an agent')")
    undone(exchanged, plan.scope)
    assert agents_of(exchanged, *DEVICES) == before[::-1]


def test_an_address_that_moved_to_a_new_user_moves_back(pair: Migration) -> None:
    """The new user has to go first; then a run moves it again, under the same id."""
    before = ids(pair, "users", "email")
    pair.legacy.execute(
        f"UPDATE users SET email = 'moved@example.com' WHERE id = '{USER}';"
        f"INSERT INTO users (id, name, email) VALUES ('{NEW}', 'New', 'user1@example.com')"
    )
    pair.run("users")
    after = ids(pair, "users", "email")
    assert (after[USER], after[NEW]) == ("moved@example.com", before[USER])
    undone(pair, UndoScope(run=last_run(pair)))
    assert ids(pair, "users", "email") == before
    pair.run("users")
    assert ids(pair, "users", "email") == after


def test_a_row_that_waits_for_its_name_leaves_its_new_place_before_that_goes(pair: Migration) -> None:
    """A device moved to a new site, and a new one took its name at the old: the new device goes, then the old one is back, then
    the new site can go."""
    before = ids(pair, "devices", "site_id")
    pair.legacy.execute(
        "UPDATE devices SET site = 'New Site' WHERE hostname = 'host-1'; UPDATE agents SET site = 'New Site' WHERE id = 1;"
        f"INSERT INTO devices (id, hostname, os, status, client, site) VALUES ('{NEW}', 'host-1', 'linux', 'online', 'Acme', 'HQ')"
    )
    pair.run("clients", "sites", "devices")
    assert ids(pair, "devices", "site_id")[key("device", 1)] != before[key("device", 1)]
    assert [
        (table.table, table.delete, table.restore) for table in planned(pair, UndoScope(run=last_run(pair))).tables
    ] == [
        ("sites", 1, 0),
        ("devices", 1, 1),
    ]
    undone(pair, UndoScope(run=last_run(pair)))
    assert ids(pair, "devices", "site_id") == before
    assert pair.query("SELECT count(*) FROM sites WHERE name = 'New Site'") == [(0,)]


def test_a_former_address_that_somebody_else_has_now_blocks_and_names_the_row(pair: Migration) -> None:
    pair.legacy.execute(f"UPDATE users SET email = 'moved@example.com' WHERE id = '{USER}'")
    pair.run("users")
    before = planned(pair, UndoScope(run=last_run(pair)))
    pair.target.execute(
        f"INSERT INTO users (id, organization_id, email, password_hash)"
        f" SELECT '{NEW}', id, 'User1@example.com', 'its own' FROM organizations"
    )
    found = planned(pair, before.scope)
    assert [(row.table, row.key, row.reason, row.holder) for row in found.blocked] == [
        ("users", USER, "its former value is taken: email, organization_id", f"users {NEW}")
    ]
    rows = pair.rows("users")
    for plan in (found, before):
        with pytest.raises(UndoBlocked, match=f"users {USER}: its former value is taken"):
            execute(place_of(pair), plan)
    assert pair.rows("users") == rows
