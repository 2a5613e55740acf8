"""What the new application wrote is in legacy after a fall-back, and a run finds the same rows under the same ids."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from remoteiq_etl.errors import TargetWritten
from remoteiq_etl.fallback import fallback
from remoteiq_etl.fallback.model import FallBack
from remoteiq_etl.inverse.round_trip import round_trip
from remoteiq_etl.lifecycle.cutover.back import back
from remoteiq_etl.lifecycle.cutover.late_writes import late_writes
from remoteiq_etl.verify.engine import verify
from tests.support.cutting_over import Ready
from tests.support.falling_back import NEW_APPLICATION, Keys, fall_back, planned, target_keys

#: By legacy table: rows inserted, updated and deleted.
COUNTS: Mapping[str, tuple[int, int, int]] = {
    "permissions": (1, 0, 0),
    "roles": (1, 1, 0),
    "role_permissions": (2, 0, 0),
    "users": (1, 5, 0),
    "sessions": (1, 1, 1),
    "trusted_devices": (1, 0, 1),
    "personal_tokens": (1, 1, 0),
    "login_challenges": (1, 0, 1),
    "jobs": (1, 0, 0),
    "job_results": (1, 0, 0),
    "backups_config": (0, 1, 0),
    "backup_jobs": (1, 1, 0),
    "backup_job_logs": (1, 0, 0),
    "backup_job_manifests": (1, 0, 0),
    "backup_restores": (1, 0, 1),
    "email_settings": (0, 1, 0),
    "imap_state": (0, 3, 0),
    "imap_ingested": (1, 0, 0),
    "email_inbound_events": (1, 0, 0),
    "dkim_keys": (1, 0, 1),
    "devices": (1, 6, 0),
    "agents": (1, 3, 0),
    "agent_software": (1, 0, 1),
    "checks": (1, 1, 0),
    "check_assignments": (1, 0, 0),
    "check_runs": (1, 1, 1),
    "branding_settings": (0, 1, 0),
    "localization_settings": (0, 1, 0),
    "support_legal_settings": (0, 1, 0),
    "tickets": (1, 2, 1),
}


@dataclass(frozen=True)
class Fallen:
    """One fall-back: what was planned and done, and the keys of the target before and after it."""

    ready: Ready
    plan: FallBack
    legacy_before: list[tuple[Any, ...]]
    done: FallBack
    before: Keys
    after: Keys


@pytest.fixture(scope="module")
def fallen(cut: Ready) -> Fallen:
    assert (planned(cut).tables, planned(cut).left) == ([], [])
    cut.target.execute(NEW_APPLICATION)
    plan = planned(cut)
    users = cut.in_legacy("SELECT count(*) FROM users WHERE email = 'new@example.com'")
    before = target_keys(cut)
    return Fallen(cut, plan, users, fall_back(cut), before, target_keys(cut))


def test_the_plan_says_what_is_done_and_changes_nothing(fallen: Fallen) -> None:
    assert fallen.legacy_before == [(0,)]
    assert fallen.plan.tables == fallen.done.tables
    assert {one.table: (one.inserts, one.updates, one.deletes) for one in fallen.done.tables} == COUNTS, (
        fallen.done.tables
    )
    assert (fallen.done.conflicts, fallen.done.late) == ([], None)


def test_what_has_no_place_is_listed(fallen: Fallen) -> None:
    assert {(one.table, one.key.split(", ")[-1], one.reason) for one in fallen.done.left} == {
        ("ticket_updates", "56565656-5656-4656-8656-565656565656", "legacy has no table for it"),
        ("user_roles", "0f000000-0000-4000-8000-000000000001", "a user of legacy has one role"),
        ("ticket_tags", "urgent", "tickets of legacy have no tags"),
        ("agent_task_runs", "46464646-4646-4646-8646-464646464646", "legacy keeps one run of a job"),
        ("devices", "d0000003-0000-4000-8000-000000000000", "the status goes back as the nearest word: offline"),
    }


IN_LEGACY = {
    "SELECT name, role, two_factor_enabled, two_factor_secret FROM users WHERE email = 'new@example.com'": [
        ("New User", "Dispatcher", True, "JBSWY3DPEHPK3PXP")
    ],
    "SELECT name, last_seen > now() - interval '1 hour' FROM users WHERE id = 'c5000000-0000-4000-8000-000000000001'": [
        ("Augusta Lovelace", True)
    ],
    "SELECT suspended, status FROM users WHERE id = 'c5000000-0000-4000-8000-000000000004'": [(True, "suspended")],
    "SELECT password_hash FROM users WHERE id = 'c5000000-0000-4000-8000-000000000005'": [("$2b$12$another",)],
    "SELECT role FROM users WHERE id = 'c5000000-0000-4000-8000-000000000008'": [("Dispatcher",)],
    "SELECT p.key FROM role_permissions JOIN permissions AS p ON p.id = permission_id JOIN roles AS r ON r.id = role_id"
    " WHERE r.name = 'Dispatcher' ORDER BY 1": [(" Devices.READ",), ("dispatch.send",)],
    "SELECT jti, user_id::text FROM sessions WHERE id = '12121212-1212-4212-8212-121212121212'": [
        ("new-jti", "11111111-1111-4111-8111-111111111111")
    ],
    "SELECT count(*) FROM sessions WHERE id::text LIKE '5a000001%' OR jti = 'legacy-cookie-carol' AND revoked_at IS NULL": [
        (0,)
    ],
    "SELECT a.hostname, a.os, a.version, d.client, d.site, d.status, a.id > 24 FROM devices AS d JOIN agents AS a"
    " USING (agent_uuid) WHERE d.hostname = 'NEW-1'": [("NEW-1", "linux", "9.1", "Newcomer", "Quay", "online", False)],
    "SELECT nextval(pg_get_serial_sequence('agents', 'id')) - max(id) FROM agents WHERE version = '9.1'": [(1,)],
    "SELECT s.name FROM agent_software AS s JOIN agents AS a ON a.id = s.agent_id WHERE a.version = '9.1'": [
        ("New Software",)
    ],
    "SELECT j.status, j.payload, r.stdout FROM jobs AS j JOIN job_results AS r ON r.job_id = j.id WHERE j.id::text LIKE '4444%'": [
        ("succeeded", {"a": 1}, "said")
    ],
    "SELECT hostname, status, client FROM devices WHERE id = 'd0000003-0000-4000-8000-000000000000'": [
        ("SRV-003-B", "offline", " acme  ")
    ],
    "SELECT client, site FROM devices WHERE id IN ('d0000004-0000-4000-8000-000000000000', 'd0000006-0000-4000-8000-000000000000')"
    " ORDER BY id": [("Globex International", "Plant 1"), ("Newcomer", "Quay")],
    "SELECT status, severity, output FROM check_runs WHERE id::text LIKE 'cb000001%' OR id::text LIKE '8888%' ORDER BY id": [
        ("WARN", "WARN", "slow"),
        ("FAIL", "CRIT", "worse"),
    ],
    "SELECT check_type, check_name, device_id FROM check_assignments WHERE id::text LIKE '7878%'": [
        ("PING", "Fresh air", "22222222-2222-4222-8222-222222222222")
    ],
    "SELECT number, title, requester_email, client FROM tickets WHERE id::text LIKE '5555%'": [
        (777777, "New ticket", "neva@example.com", "Newcomer")
    ],
    "SELECT status, title, assignee_id::text FROM tickets WHERE id = '7c000001-0000-4000-8000-000000000000'": [
        ("closed", "Printer is out", "c5000000-0000-4000-8000-000000000005")
    ],
    "SELECT retention_days FROM backups_config WHERE id = 'singleton'": [(90,)],
    "SELECT smtp_host, smtp_password FROM email_settings WHERE purpose = 'alerts'": [("mail.example.net", "another")],
    "SELECT currency FROM localization_settings WHERE id = 1": [("NOK",)],
    "SELECT support_url FROM support_legal_settings WHERE id = 1": [("https://help.example.com",)],
    "SELECT subject FROM imap_ingested WHERE uid = 77 UNION ALL SELECT subject FROM email_inbound_events WHERE kind = 'reply'"
    " AND from_addr = 'neva@example.com'": [("New mail",), ("New event",)],
    "SELECT selector FROM dkim_keys WHERE selector IN ('new', 'old')": [("new",)],
    # What was not touched is spelled as it was, though the redesign spells it otherwise.
    "SELECT client, site FROM devices WHERE id = 'd0000009-0000-4000-8000-000000000000'": [("Acme", "hq ")],
    "SELECT totp_secret IS NOT NULL FROM users WHERE totp_secret IS NOT NULL LIMIT 1": [(True,)],
}


@pytest.mark.parametrize("query", IN_LEGACY)
def test_legacy_has_it(fallen: Fallen, query: str) -> None:
    assert fallen.ready.in_legacy(query) == IN_LEGACY[query]


def test_a_run_finds_every_row_again_under_its_id(fallen: Fallen) -> None:
    """A row whose legacy row waited for something that was freed may come; none goes, and none comes twice."""
    for table, keys in fallen.before.items():
        assert (table, fallen.after[table]) == (table, keys)
    assert (
        fallen.ready.query("SELECT table_name, legacy_key FROM remoteiq_etl.conflicts WHERE resolved_run IS NULL") == []
    )


def test_nothing_is_left_to_do_and_legacy_comes_back_from_the_target(fallen: Fallen) -> None:
    """Nor is what was carried taken for a write of the old application."""
    assert planned(fallen.ready).tables == []
    with fallen.ready.migration() as migration:
        assert [(one.table, one.bugs) for one in round_trip(migration.plan()).tables if one.bugs] == []
        late = late_writes(migration, "")
        assert verify(migration.plan()).word == "explained"
    assert late is not None
    assert late.tables == []


def test_forward_back_and_forward_again_gives_the_same_ids(fallen: Fallen) -> None:
    """The way back refuses what would be lost. Then the old application writes, and the next cut-over and fall-back follow."""
    ready = fallen.ready
    with ready.place() as place, pytest.raises(TargetWritten, match="legacy has no table for it"):
        back(place, carry=fallback.carry)
    assert ready.phases() == ["done"]
    with ready.place() as place:
        report = back(place, carry=fallback.carry, lose=True)
    assert (ready.phases(), ready.fence_stands(), report.late) == (["taken back"], False, None)
    assert report.file is not None
    assert len(report.file.read_text().splitlines()) == 5
    ready.in_legacy(
        "UPDATE users SET name = 'Newer User' WHERE email = 'new@example.com'; UPDATE tickets SET title = 'Newer' WHERE number = 777777;"
        " UPDATE agents SET version = '9.2' WHERE version = '9.1'; UPDATE devices SET site = 'Pier' WHERE hostname = 'NEW-1'"
    )
    ready.make_ready()
    assert ready.query("SELECT first_name FROM users WHERE id::text LIKE '1111%'") == [("Newer",)]
    assert ready.query("SELECT subject FROM tickets WHERE id::text LIKE '5555%'") == [("Newer",)]
    ready.cut_over()
    assert planned(ready).tables == []
    ready.target.execute(
        "UPDATE users SET first_name = 'Newest' WHERE id::text LIKE '1111%'; DELETE FROM tickets WHERE ticket_number = 777777"
    )
    assert {one.table: (one.updates, one.deletes) for one in fall_back(ready).tables} == {
        "users": (1, 0),
        "tickets": (0, 1),
    }
    assert ready.in_legacy("SELECT name FROM users WHERE email = 'new@example.com'") == [("Newest User",)]
    again = target_keys(ready)
    gone = {table: keys - again[table] for table, keys in fallen.after.items() if keys - again[table]}
    assert gone.pop("tickets") == {(UUID("55555555-5555-4555-8555-555555555555"),)}
    assert gone.keys() <= {"sites", "ticket_tags"}  # of the ticket that went before: nothing else names its site
