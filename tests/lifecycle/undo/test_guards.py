"""An undo writes what its plan names and nothing else: what the target makes of it besides takes the batch back."""

from dataclasses import replace

import pytest

from remoteiq_etl.errors import UndoBlocked, UndoMoved
from remoteiq_etl.lifecycle.undo.execute import execute
from remoteiq_etl.lifecycle.undo.plan import UndoPlan
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from remoteiq_etl.sensitive.keys import SealingKeys
from tests.support.migrating import Migration
from tests.support.small_installation import key
from tests.support.undoing import SEALING_KEYS, last_run, place_of, planned, undone

USER, NEW = key("user", 3), "c9000000-0000-4000-8000-000000000001"
_TRIGGER = """
CREATE FUNCTION surprise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; END $$;
CREATE TRIGGER surprise {when} ON users FOR EACH ROW EXECUTE FUNCTION surprise()
"""
TRIGGERS = {
    "writes to another table": (
        "AFTER UPDATE",
        "UPDATE tickets SET subject = subject WHERE ticket_number = 1; RETURN NULL",
        "users: the batch would delete 0 and change 1 rows of public.tickets, but the plan names 0 and 0",
    ),
    "deletes a neighbour": (
        "AFTER UPDATE",
        f"DELETE FROM users WHERE id = '{key('user', 9)}'; RETURN NULL",
        "users: the batch would delete",
    ),
    "changes what is written": (
        "BEFORE UPDATE",
        "NEW.first_name := 'Otherwise'; RETURN NEW",
        "users: 1 rows would not be what they were; a trigger or a changed column does this",
    ),
    "keeps a row": (
        "BEFORE DELETE",
        "RETURN NULL",
        "users: 1 rows were to be written, 0 were; a trigger or rule of the table does this",
    ),
}


@pytest.fixture
def resynced(pair: Migration) -> UndoPlan:
    """The plan of a run that renamed one user and made another."""
    pair.legacy.execute(
        f"UPDATE users SET name = 'Renamed' WHERE id = '{USER}';"
        f"INSERT INTO users (id, name, email) VALUES ('{NEW}', 'New', 'new@example.com')"
    )
    pair.run("users")
    return planned(pair, UndoScope(run=last_run(pair)))


@pytest.mark.parametrize(("when", "body", "said"), TRIGGERS.values(), ids=TRIGGERS)
def test_a_trigger_of_the_target_takes_the_batch_back(
    pair: Migration, resynced: UndoPlan, when: str, body: str, said: str
) -> None:
    pair.target.execute(_TRIGGER.format(when=when, body=body))
    rows = pair.rows("tickets")
    with pytest.raises(UndoMoved, match=said):
        execute(place_of(pair), resynced)
    assert pair.rows("tickets") == rows
    assert pair.query("SELECT count(*) FROM users WHERE id = %s", key("user", 9)) == [(1,)]
    pair.target.execute("DROP FUNCTION surprise CASCADE")
    assert execute(place_of(pair), resynced).proven
    assert pair.query("SELECT first_name, last_name FROM users WHERE id = %s", USER) == [("User", "3")]
    assert pair.query("SELECT count(*) FROM users WHERE id = %s", NEW) == [(0,)]


def test_a_former_secret_needs_the_key_that_it_is_sealed_with(pair: Migration) -> None:
    """Without the key, or with another one, the row blocks and the key is named; with it the former secret is back."""
    with_key = replace(pair, plan=replace(pair.plan, sealing_keys=SEALING_KEYS))
    pair.legacy.execute(f"UPDATE users SET password_hash = 'changed' WHERE id = '{USER}'")
    with_key.run("users")
    scope = UndoScope(run=last_run(pair))
    [(key_id,)] = pair.query("SELECT DISTINCT key_id FROM remoteiq_etl.before_images WHERE key_id IS NOT NULL")
    other = replace(pair, plan=replace(pair.plan, sealing_keys=SealingKeys((bytes(reversed(range(32))),))))
    for without in (pair, other):
        found = planned(without, scope, accept_loss=True)
        assert [(row.table, row.key, row.reason) for row in found.blocked] == [
            ("users", USER, f"former secrets are sealed with the key {key_id}, which is not given")
        ]
    plan = planned(with_key, scope)
    with pytest.raises(UndoBlocked, match="which is not given"):
        execute(place_of(other), plan)
    undone(with_key, scope)
    assert pair.query("SELECT password_hash FROM users WHERE id = %s", USER) == [("hash3",)]


def test_a_grant_comes_back_with_its_role_and_permission_or_blocks_and_names_what_is_missing(pair: Migration) -> None:
    """Its key are two columns; each of them leads to a row of its own."""
    before = pair.rows("role_permissions")
    pair.legacy.execute(f"DELETE FROM role_permissions WHERE role_id = '{key('role', 3)}'")
    pair.run("role_permissions")
    assert len(pair.rows("role_permissions")) < len(before)
    scope = UndoScope(run=last_run(pair))
    [role] = {str(row["role_id"]) for row in before} - {str(row["role_id"]) for row in pair.rows("role_permissions")}
    pair.target.execute(f"ALTER TABLE roles DISABLE TRIGGER ALL; DELETE FROM roles WHERE id = '{role}'")
    assert [(row.table, row.key, row.reason, row.holder) for row in planned(pair, scope).blocked] == [
        ("role_permissions", f'["{role}","ops.run"]', "what it referred to is not there", f"roles {role}")
    ]
    pair.target.execute(f"INSERT INTO roles (id, name, scope) VALUES ('{role}', 'Again', 'system')")
    undone(pair, scope)
    assert sorted(map(str, pair.rows("role_permissions"))) == sorted(map(str, before))
    pair.run("role_permissions")
    assert len(pair.rows("role_permissions")) == len(before) - 1
