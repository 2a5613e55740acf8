"""Rows that were there before us get their own values back from an undo, are nobody's again, and are recognised by the next run."""

import pytest

from remoteiq_etl.lifecycle.undo.scope import UndoScope
from tests.support.migrating import Migration
from tests.support.small_installation import TABLES
from tests.support.undoing import EVERYTHING, last_run, planned, undone

USER, ROLE, DEVICE, CONTACT = (f"c9000000-0000-4000-8000-00000000000{number}" for number in range(1, 5))
OWN = {"users": USER, "roles": ROLE, "devices": DEVICE, "contacts": CONTACT}
_OF_THE_APPLICATION = f"""
INSERT INTO users (id, organization_id, email, password_hash) SELECT '{USER}', id, 'own@example.com', 'its own' FROM organizations;
INSERT INTO roles (id, organization_id, scope, name) SELECT '{ROLE}', id, 'organization', 'Own' FROM organizations;
INSERT INTO devices (id, site_id, hostname) SELECT '{DEVICE}', id, 'own-host' FROM sites WHERE name = 'HQ';
INSERT INTO contacts (id, organization_id, name, email) SELECT '{CONTACT}', id, 'Own', 'contact@example.com' FROM organizations
"""
_OF_LEGACY = """
INSERT INTO users (id, name, email, last_seen) VALUES ('c8000000-0000-4000-8000-000000000001', 'Given Name', 'own@example.com', now());
INSERT INTO roles (id, name, description) VALUES ('c8000000-0000-4000-8000-000000000002', 'Own', 'Of legacy');
INSERT INTO devices (id, hostname, os, client, site, status, last_seen)
    VALUES ('c8000000-0000-4000-8000-000000000003', 'own-host', 'linux', 'Acme', 'HQ', 'offline', now());
INSERT INTO tickets (id, number, title, client, site, requester_name, requester_email) OVERRIDING SYSTEM VALUE
    VALUES ('c8000000-0000-4000-8000-000000000004', 400, 'New', 'Acme', 'HQ', 'Other', 'contact@example.com')
"""


def own_rows(migration: Migration) -> dict[str, tuple[object, ...]]:
    return {
        table: migration.query(f"SELECT to_jsonb(t) - 'updated_at' FROM {table} AS t WHERE id = '{id_}'")[0]
        for table, id_ in OWN.items()
    }


def adopted(migration: Migration) -> dict[str, tuple[object, ...]]:
    return {
        table: migration.query(f"SELECT state, adopted FROM remoteiq_etl.legacy_{table}_map WHERE new_key = '{id_}'")[0]
        for table, id_ in OWN.items()
    }


def open_conflicts(migration: Migration) -> int:
    query = "SELECT count(*) FROM remoteiq_etl.conflicts WHERE resolved_run IS NULL AND new_key = ANY (%s)"
    return int(migration.query(query, list(OWN.values()))[0][0])


@pytest.mark.parametrize("everything", [False, True], ids=["the run", "everything"])
def test_adopted_rows_are_their_own_again_and_the_next_run_adopts_them(pair: Migration, everything: bool) -> None:
    pair.target.execute(_OF_THE_APPLICATION)
    before = own_rows(pair)
    pair.legacy.execute(_OF_LEGACY)
    pair.run(*TABLES)
    after = own_rows(pair)
    assert adopted(pair) == dict.fromkeys(OWN, ("live", True))
    assert {table for table in OWN if before[table] != after[table]} == OWN.keys()
    assert open_conflicts(pair) > 0
    scope = EVERYTHING if everything else UndoScope(run=last_run(pair))
    assert {row.table for row in planned(pair, scope).kept} <= {"organizations", "clients", "sites"}
    undone(pair, scope)
    assert own_rows(pair) == before
    assert adopted(pair) == dict.fromkeys(OWN, ("undone", False))
    assert open_conflicts(pair) == 0
    pair.run(*TABLES)
    assert own_rows(pair) == after
    assert adopted(pair) == dict.fromkeys(OWN, ("live", True))
