"""The gate: closed by whatever is not so, opened by an approval of what there is, closed again by whatever moves."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from remoteiq_etl.cli.gate.gate import moment
from remoteiq_etl.gate.seen import catalogue, code_of, shape
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.lifecycle.stages.stage import Stage
from remoteiq_etl.postgres.database import Database as EngineDatabase
from remoteiq_etl.state.schema import State
from tests.cli.conftest import Cli, Ended, Migrated, cli, migrated
from tests.support.migrating import Migration, specs
from tests.support.server import Server

__all__ = ["cli", "migrated"]

ACCEPTED = ("role_gains", "agents_to_enrol", "accounts_to_merge", "held_rows")


@dataclass(frozen=True)
class Gate:
    """A migrated and verified target, said to be finalized, and its gate."""

    cli: Cli
    migrated: Migrated

    def __call__(self, *arguments: str, **environ: str) -> Ended:
        return self.cli(*arguments, legacy=self.migrated.legacy, target=self.migrated.target, **environ)

    def status(self) -> dict[str, Any]:
        ended = self("gate", "status", "--json")
        assert ended.out, ended.err
        found: dict[str, Any] = json.loads(ended.out)
        return found

    def rule(self, name: str) -> dict[str, Any]:
        return next(one for one in self.status()["rules"] if one["name"] == name)

    def done(self, *arguments: str) -> str:
        ended = self(*arguments)
        assert ended.code == 0, ended.out + ended.err
        return ended.out

    def approve(self, *more: str) -> Ended:
        return self("gate", "approve", "--reason", "all is well", "--until", "8h", *more)

    def finalized(self) -> None:
        target = EngineDatabase(self.migrated.target.url, "public")
        session = target.connect()
        session.execute("UPDATE remoteiq_etl.stages SET stage = 'verified'")
        store.move(session, State(target, "remoteiq_etl"), 1, Stage.FINALIZED, reason="for the test")
        session.close()

    def rehearsed(self, verdict: str = "passed", age: timedelta = timedelta()) -> None:
        """As if the whole cycle had been rehearsed with this code and these schemas."""
        hashes = []
        for side, look in ((self.migrated.legacy, catalogue), (self.migrated.target, shape)):
            session = EngineDatabase(side.url, "public").connect()
            hashes.append(look(session, "public"))
            session.close()
        with self.migrated.target.connect() as connection:
            connection.execute(
                "INSERT INTO remoteiq_etl.rehearsals"
                " (source_id, verdict, code, legacy_schema, target_schema, certificate, actor, ended_at)"
                " VALUES (1, %s, %s, %s, %s, %s, 'rehearser@example', now() - %s)",
                (verdict, code_of(specs()), *hashes, Jsonb({}), age),
            )


@pytest.fixture
def gate(cli: Cli, migrated: Migrated, server: Server) -> Iterator[Gate]:
    """The first test verifies; the others get a copy of what it left."""

    def build(target: Any) -> None:
        target.drop()
        server.create_database(target.name, migrated.target.name)
        Migration.of(migrated.legacy, target).accept_copy()
        cli(
            "run", legacy=migrated.legacy, target=target
        )  # what recalls maps that were loaded later settles in the second run
        ended = cli("verify", legacy=migrated.legacy, target=target)
        assert ended.code == 0, ended.out + ended.err

    target = server.clone("verified", build)
    Migration.of(migrated.legacy, target).accept_copy()
    found = Gate(cli, Migrated(migrated.legacy, target, migrated.said))
    found.finalized()
    yield found
    target.drop()


@pytest.fixture
def ready(gate: Gate) -> Gate:
    """Everything is as it must be, or accepted; nobody has approved."""
    quarantined = [one["name"].split(" ", 1) for one in gate.rule("quarantined_rows")["open"]]
    for table in sorted({table for table, _ in quarantined}):
        gate.done("quarantine", "ignore", "--table", table, "--reason", "known")
    gate.rehearsed()
    for rule in ACCEPTED:
        gate.done("gate", "accept", rule, "--all", "--reason", "known")
    return gate


def test_every_rule_names_what_is_not_so(gate: Gate) -> None:
    found = gate.status()
    failing = {one["name"]: one["open"] for one in found["rules"] if not one["passes"]}
    assert not found["open"]
    assert failing.keys() == {"quarantined_rows", "rehearsal", *ACCEPTED}
    assert failing["rehearsal"] == [{"name": "the rehearsal", "detail": "there is none"}]
    shown = gate("gate", "status")
    assert shown.code == 1
    assert "The gate is closed" in shown.out
    refused = gate.approve()
    assert refused.code == 1
    assert "Nothing was approved" in refused.err
    gate.migrated.target.execute("DELETE FROM remoteiq_etl.assets WHERE table_name = 'tickets'")
    gate.migrated.target.execute(
        "UPDATE remoteiq_etl.verifications SET counts = jsonb_set(counts, '{labels}', '{\"BUG\": 2}') WHERE table_name = 'users'"
    )
    gate.migrated.target.execute("UPDATE remoteiq_etl.stages SET stage = 'verified'")
    rules = {one["name"]: {item["name"] for item in one["open"]} for one in gate.status()["rules"]}
    assert rules["tables"] == {"tickets"}
    assert "tickets" in rules["verdicts"]
    assert rules["bugs"] == {"users"}
    assert rules["stage"] == {"the migration"}


def test_a_role_gains_what_the_legacy_guard_did_not_give_it(gate: Gate) -> None:
    """Of a role whose role_meta is not empty, the guard looked at that alone."""
    gate.migrated.legacy.execute(
        "UPDATE role_meta SET permissions = ARRAY['only.this'] WHERE role_name ="
        " (SELECT r.name FROM roles AS r JOIN role_permissions AS g ON g.role_id = r.id"
        " JOIN role_meta AS m ON m.role_name = r.name LIMIT 1)"
    )
    with gate.migrated.legacy.connect() as connection:
        row = connection.execute(
            "SELECT r.name FROM roles AS r JOIN role_meta AS m ON m.role_name = r.name WHERE m.permissions = ARRAY['only.this']"
        ).fetchone()
    gained = {item["name"]: item["detail"] for item in gate.rule("role_gains")["open"]}
    assert row is not None
    assert gained.get(row[0])
    assert "only.this" not in gained[row[0]]


def test_a_grant_that_somebody_else_gave_a_migrated_role_is_accepted_by_name(gate: Gate) -> None:
    gate.migrated.target.execute(
        "INSERT INTO permissions (permission_key, label, group_key, group_label) VALUES ('x.y', 'x', 'x', 'x');"
        "INSERT INTO role_permissions (role_id, permission_key)"
        " SELECT new_key, 'x.y' FROM remoteiq_etl.legacy_roles_map WHERE state = 'live' ORDER BY 1 LIMIT 1"
    )
    (found,) = gate.rule("unmanaged_grants")["open"]
    assert found["name"].startswith("role_permissions [")
    gate.done("gate", "accept", "unmanaged_grants", found["name"], "--reason", "agreed")
    assert gate.rule("unmanaged_grants")["passes"]


def test_an_approval_opens_it_and_holds_for_what_it_saw(ready: Gate) -> None:
    approved = ready.approve()
    assert approved.code == 0, approved.out + approved.err
    assert "The gate is open" in approved.out
    assert ready("gate", "status").code == 0
    # A run that writes nothing moves nothing.
    assert ready("run").code in (0, 3)
    assert ready("verify").code == 0
    ready.finalized()
    assert ready.status()["open"], ready.status()["closed_by"]
    ready.migrated.target.execute("CREATE INDEX one_more ON tickets (updated_at)")
    assert "since it was approved, the target's schema has changed" in ready.status()["closed_by"]
    ready.migrated.target.execute("DROP INDEX one_more")
    assert ready.status()["open"]
    ready.migrated.legacy.execute("CREATE TABLE one_more (id int)")
    assert "since it was approved, the legacy schema has changed" in ready.status()["closed_by"]
    ready.migrated.legacy.execute("DROP TABLE one_more")
    ready.migrated.legacy.execute(
        "UPDATE tickets SET title = title || '!' WHERE id IN (SELECT id FROM tickets ORDER BY id LIMIT 1)"
    )
    assert ready("run").code in (0, 3)
    assert ready("verify").code == 0
    ready.finalized()
    assert ready.status()["closed_by"] == ["since it was approved, a run, a deletion or an undo has changed the target"]
    assert ready.approve().code == 0
    # The old application goes on writing: that is for the final re-sync, before and after a verification has seen it.
    ready.migrated.legacy.execute(
        "UPDATE tickets SET title = title || '?' WHERE id IN (SELECT id FROM tickets ORDER BY id LIMIT 1)"
    )
    assert ready("verify", "tickets", "contacts", "ticket_tags").code == 0
    assert ready.rule("verdicts")["open"] == []


def test_it_ends_and_is_taken_back(ready: Gate) -> None:
    late = ready("gate", "approve", "--reason", "r", "--until", "2001-01-01T00:00")
    assert (late.code, "already" in late.err) == (1, True)
    assert ready.approve().code == 0
    ready.migrated.target.execute("UPDATE remoteiq_etl.gate_approvals SET until = now()")
    assert "the approval ended" in ready.status()["closed_by"][0]
    assert ready.approve().code == 0
    ready.done("gate", "revoke", "--reason", "not today")
    assert "not today" in ready.status()["closed_by"][0]
    assert ready("gate", "revoke", "--reason", "again").code == 1


def test_a_second_person_is_another_one(ready: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ready.approve("--second-person").code == 1
    assert ready.status()["closed_by"] == ["a second person has to approve, too"]
    same = ready.approve()
    assert (same.code, "another one than the first" in same.err) == (1, True)
    monkeypatch.setenv("LOGNAME", "somebody_else")
    assert ready.approve().code == 0
    assert ready.status()["open"]


def test_what_is_accepted_is_that_one_finding(gate: Gate) -> None:
    first, *others = gate.rule("held_rows")["open"]
    gate.done("gate", "accept", "held_rows", first["name"], "--reason", "its parent stays in legacy")
    found = gate.rule("held_rows")
    assert [one["name"] for one in found["open"]] == [one["name"] for one in others]
    assert found["accepted"][0]["reason"] == "its parent stays in legacy"
    unknown = gate("gate", "accept", "held_rows", "no such row", "--reason", "r")
    assert (unknown.code, "is not open there" in unknown.err) == (1, True)
    mended = gate("gate", "accept", "bugs", "--all", "--reason", "r")
    assert (mended.code, "mended, not accepted" in mended.err) == (1, True)
    assert gate("gate", "accept", "held_rows", "--reason", "r").code == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"verdict": "failed"}, "failed"),
        ({"age": timedelta(days=15)}, "older than 14 days"),
    ],
)
def test_an_old_or_failed_rehearsal_is_none(gate: Gate, change: dict[str, Any], says: str) -> None:
    gate.rehearsed(**change)
    assert [says in one["detail"] for one in gate.rule("rehearsal")["open"]] == [True]


def test_a_rehearsal_of_other_code_or_schemas_is_none(gate: Gate) -> None:
    gate.rehearsed()
    assert gate.rule("rehearsal")["passes"]
    gate.migrated.target.execute(
        "UPDATE remoteiq_etl.rehearsals SET code = 'other', legacy_schema = 'other', target_schema = 'other'"
    )
    assert len(gate.rule("rehearsal")["open"]) == 3


def test_nothing_can_be_approved_while_a_run_is_in_work(ready: Gate) -> None:
    with ready.migrated.target.connect() as connection:
        connection.execute("SELECT pg_advisory_lock(hashtextextended('remoteiq_etl/1', 0))")
        refused = ready.approve()
    assert (refused.code, "a run of the source is in work" in refused.err) == (1, True)


def test_a_moment_is_a_span_or_a_date() -> None:
    now = datetime(2031, 5, 4, 6, tzinfo=UTC)
    assert moment("8h", now) == now + timedelta(hours=8)
    assert moment("2d", now) == now + timedelta(days=2)
    assert moment("2031-05-04T08:00+02:00") == now
