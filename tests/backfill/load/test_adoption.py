"""What the application already has is recognised, kept as it is, and filled only where it is empty."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from remoteiq_etl.backfill.context.report import Ledger, TableReport
from tests.support.migrating import Migration, foreign_target
from tests.support.server import Database, Server


def key(number: int) -> str:
    """The id of a row that the application made."""
    return f"a9900000-0000-4000-8000-{number:012}"


ORGANIZATION, ADA, ACME, HQ, DEVICE, AGENT, CHECK, CONTACT, ALERTS, TECHNICIAN, OWNER = map(key, range(1, 12))
YOUNGER_ACME, SYSTEM_OWNER, SYSTEM_TECHNICIAN, SUPPORT_EMAIL, OTHER_DEVICE, TICKET, NUMBERED = map(key, range(12, 19))
#: Legacy keys whose uuid a row of the application has, that is another thing altogether.
TAKEN_DEVICE, TAKEN_TICKET = "d0000004-0000-4000-8000-000000000000", "7c000001-0000-4000-8000-000000000000"
LEGACY_ADA = "c5000000-0000-4000-8000-000000000001"

#: Rows as the application left them. Names are spelled otherwise than in legacy.
BEFORE: dict[str, list[dict[str, Any]]] = {
    "organizations": [{"id": ORGANIZATION, "name": "Default Organization", "slug": "default", "time_zone": "UTC"}],
    "organization_settings": [
        {
            "organization_id": ORGANIZATION,
            "branding": '{"primaryColor": "#ABCDEF", "ofTheApplication": 1}',
            "support": '{"company": {"name": "Mine"}}',
        }
    ],
    "permissions": [
        {"permission_key": "tickets.write", "label": "Of the application", "group_key": "", "group_label": "Tickets"}
    ],
    "roles": [
        {"id": SYSTEM_OWNER, "scope": "system", "name": "Owner"},
        {"id": SYSTEM_TECHNICIAN, "scope": "system", "name": "Technician"},
        {"id": TECHNICIAN, "organization_id": ORGANIZATION, "scope": "organization", "name": " TECHNICIAN "},
        {"id": OWNER, "organization_id": ORGANIZATION, "scope": "organization", "name": "owner", "description": "Mine"},
    ],
    "role_permissions": [{"role_id": TECHNICIAN, "permission_key": "tickets.write"}],
    "users": [
        {
            "id": ADA,
            "organization_id": ORGANIZATION,
            "email": "Ada@Example.COM",
            "password_hash": "of-the-application",
            "first_name": "",
            "last_name": "Byron",
            "status": "invited",
            "last_seen_at": "2020-01-01",
        }
    ],
    "user_security": [{"user_id": ADA, "two_factor_enabled": False}],
    "clients": [
        {"id": YOUNGER_ACME, "organization_id": ORGANIZATION, "name": "acme", "created_at": "2021-01-01"},
        {"id": ACME, "organization_id": ORGANIZATION, "name": "ACME ", "created_at": "2020-01-01"},
    ],
    "sites": [{"id": HQ, "client_id": ACME, "name": "hq"}],
    "devices": [
        {
            "id": DEVICE,
            "site_id": HQ,
            "hostname": "ws-002",
            "operating_system": "",
            "architecture": "arm64",
            "status": "retired",
            "last_seen_at": "2030-01-01",
        },
        {"id": TAKEN_DEVICE, "hostname": "Of the application"},
        {"id": OTHER_DEVICE, "hostname": "WS-001"},
    ],
    "agents": [
        {
            "id": AGENT,
            "device_id": DEVICE,
            "agent_uuid": "a0000004-0000-4000-8000-000000000000",
            "version": "0.1",
            "last_check_in_at": "2020-01-01",
            "facts": '{"os": "old"}',
        }
    ],
    "checks": [
        {
            "id": CHECK,
            "organization_id": ORGANIZATION,
            "name": "PING  Gateway",
            "type": "ping",
            "schedule": "@every 5s",
            "config": '{"host": "mine"}',
        }
    ],
    "contacts": [{"id": CONTACT, "organization_id": ORGANIZATION, "name": "", "email": "JANE.ROE@Example.com"}],
    "support_channels": [
        {"id": SUPPORT_EMAIL, "organization_id": ORGANIZATION, "channel_key": "EMAIL", "channel_type": "mail"}
    ],
    "email_channels": [
        {
            "id": ALERTS,
            "organization_id": ORGANIZATION,
            "name": "ALERTS",
            "purpose": "support",
            "is_outbound_enabled": False,
            "smtp_settings": '{"host": "mail.example.net"}',
        }
    ],
    "email_ingest_state": [{"channel_id": ALERTS, "last_uid": 4}],
    "tickets": [
        {"id": TAKEN_TICKET, "organization_id": ORGANIZATION, "ticket_number": 1005, "subject": "Mine"},
        {"id": NUMBERED, "organization_id": ORGANIZATION, "ticket_number": 1008, "subject": "Printer on fire"},
    ],
    "ticket_tags": [{"ticket_id": TAKEN_TICKET, "tag": "mine"}],
}
#: Table → (legacy table and key, new key) of what must be adopted.
ADOPTED = {
    "organizations": ("derived", "default", ORGANIZATION),
    "organization_settings": ("derived", "default", ORGANIZATION),
    "permissions": ("permissions", "9e000000-0000-4000-8000-000000000003", "tickets.write"),
    "users": ("users", LEGACY_ADA, ADA),
    "clients": ("derived", "acme", ACME),
    "sites": ("derived", '["acme","hq"]', HQ),
    "devices": ("devices", "d0000002-0000-4000-8000-000000000000", DEVICE),
    "agents": ("agents", "4", AGENT),
    "checks": ("checks", "cc000001-0000-4000-8000-000000000000", CHECK),
    "contacts": ("derived", '["email","jane.roe@example.com"]', CONTACT),
    "support_channels": ("derived", "email", SUPPORT_EMAIL),
    "email_channels": ("email_settings", "alerts", ALERTS),
    "email_ingest_state": ("derived", "alerts", ALERTS),
    "roles": ("roles", "0f000000-0000-4000-8000-000000000001", TECHNICIAN),
}


def insert_before(target: Database) -> None:
    with target.connect() as connection:
        for table, rows in BEFORE.items():
            for row in rows:
                columns, values = ", ".join(row), ", ".join(["%s"] * len(row))
                connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({values})".encode(), list(row.values()))


@dataclass
class Adopting:
    """A target of the application after the first run."""

    migration: Migration
    reports: dict[str, TableReport]
    before: dict[str, list[dict[str, Any]]]

    def row(self, table: str, **key: str) -> dict[str, Any]:
        """One row, found by these columns."""
        (found,) = [row for row in self.migration.rows(table) if all(str(row[name]) == key[name] for name in key)]
        return found

    def map(self, table: str) -> dict[tuple[str, str], tuple[str, bool, str]]:
        """New key, adopted and rule (a recorded decision's stays) by legacy table and key."""
        rows = self.migration.query(
            "SELECT legacy_table, legacy_key::text, new_key::text, adopted, rule"
            f" FROM remoteiq_etl.legacy_{table}_map WHERE state = 'live'"
        )
        return {(row[0], row[1]): (row[2], row[3], row[4]) for row in rows}

    def conflict(self, table: str, new_key: str) -> tuple[set[str], dict[str, Any], dict[str, Any], str]:
        """The columns, current and incoming values and reason of one conflict."""
        query = "SELECT columns, current, incoming, reason FROM remoteiq_etl.conflicts WHERE table_name = %s AND new_key = %s"
        ((columns, current, incoming, reason),) = self.migration.query(query, table, new_key)
        return set(columns), current, incoming, reason


@pytest.fixture(scope="module")
def adopting(server: Server, edge_template: str) -> Iterator[Adopting]:
    legacy, target = server.create_database(template=edge_template), foreign_target(server)
    insert_before(target)
    migration = Migration.of(legacy, target)
    before = {table: migration.rows(table) for table in BEFORE}
    yield Adopting(migration, migration.run(), before)
    legacy.drop()
    target.drop()


@pytest.mark.parametrize("table", sorted(ADOPTED))
def test_an_equal_row_is_adopted_under_its_own_id(adopting: Adopting, table: str) -> None:
    legacy_table, legacy_key, new_key = ADOPTED[table]
    assert adopting.map(table)[legacy_table, legacy_key][:2] == (new_key, True)
    assert adopting.reports[table].total(Ledger.ADOPTED) >= 1


@pytest.mark.parametrize("table", sorted(ADOPTED))
def test_the_row_before_our_first_write_is_kept(adopting: Adopting, table: str) -> None:
    new_key = ADOPTED[table][2]
    images = adopting.migration.query(
        "SELECT operation, image FROM remoteiq_etl.before_images WHERE table_name = %s AND new_key = %s", table, new_key
    )
    ((operation, image),) = images
    (before,) = [row for row in adopting.before[table] if new_key in {str(value) for value in row.values()}]
    assert operation == "adopt"
    assert {name: image[name] for name in image.keys() & {"name", "label", "first_name", "hostname", "facts"}} == {
        name: before[name]
        for name in image.keys() & before.keys() & {"name", "label", "first_name", "hostname", "facts"}
    }


def test_empty_values_alone_are_filled(adopting: Adopting) -> None:
    """NULL, '', {}, absent JSON keys, and what the application writes by itself when it makes an organization."""
    organization = adopting.row("organizations", id=ORGANIZATION)
    assert (organization["name"], organization["time_zone"]) == ("Northwind IT Services", "Europe/Berlin")
    settings = adopting.row("organization_settings", organization_id=ORGANIZATION)
    assert settings["branding"]["primaryColor"] == "#ABCDEF"
    assert settings["branding"]["ofTheApplication"] == 1
    assert settings["branding"]["faviconUrl"] == "https://www.example.com/favicon.ico"
    assert settings["support"]["company"] == {"name": "Mine"}
    assert settings["support"]["supportEmail"] == "help@example.com"
    assert settings["localization"]["language"] == "de-DE"
    permission = adopting.row("permissions", permission_key="tickets.write")
    assert (permission["label"], permission["group_key"]) == ("Of the application", "tickets")
    client = adopting.row("clients", id=ACME)
    assert (client["name"], client["external_ref"]) == ("ACME ", "4f000001-0000-4000-8000-000000000000")
    device = adopting.row("devices", id=DEVICE)
    assert (device["hostname"], device["operating_system"], device["architecture"]) == ("ws-002", "windows", "arm64")
    check = adopting.row("checks", id=CHECK)
    assert (check["schedule"], check["config"]["host"]) == ("@every 5s", "mine")
    assert check["config"]["intervalSec"] == 120
    assert check["description"] == "Erreicht das Gateway?\n"
    contact = adopting.row("contacts", id=CONTACT)
    assert (contact["name"], contact["email"]) == ("Jane Roe", "JANE.ROE@Example.com")
    assert set(contact["metadata"]) == {"clientId"}
    channel = adopting.row("email_channels", id=ALERTS)
    assert (channel["name"], channel["purpose"], channel["is_outbound_enabled"]) == ("ALERTS", "support", False)
    assert channel["smtp_settings"]["host"] == "mail.example.net"
    assert channel["smtp_settings"]["password"] == "smtp-password-alerts"
    assert adopting.row("support_channels", id=SUPPORT_EMAIL)["configuration"] == {"address": "help@example.com"}


def test_other_differences_are_conflicts(adopting: Adopting) -> None:
    """Listed with what is there and what comes in; of a secret the name only."""
    columns, current, incoming, reason = adopting.conflict("permissions", "tickets.write")
    assert ({"label"} <= columns, current["label"], reason) == (True, "Of the application", "adopted")
    assert incoming["label"] != "Of the application"
    assert "architecture" in adopting.conflict("devices", DEVICE)[0]
    assert {"schedule", "config"} <= adopting.conflict("checks", CHECK)[0]
    assert "last_name" in adopting.conflict("users", ADA)[0]
    columns, current, incoming, _ = adopting.conflict("email_channels", ALERTS)
    assert "smtp_settings" in columns
    assert "smtp_settings" not in current.keys() | incoming.keys()
    assert "password_hash" not in adopting.conflict("users", ADA)[1]


def test_the_later_activity_wins_at_adoption(adopting: Adopting) -> None:
    """Not only in the second run; with the values that belong to it."""
    assert adopting.row("users", id=ADA)["last_seen_at"] == datetime(2024, 1, 1, 10, 0, 0, 123456, UTC)
    state = adopting.row("email_ingest_state", channel_id=ALERTS)
    assert state["last_uid"] == 9007199254740995
    assert state["last_synced_at"] is not None
    device = adopting.row("devices", id=DEVICE)
    assert (device["status"], device["last_seen_at"]) == ("retired", datetime(2030, 1, 1, tzinfo=UTC))
    agent = adopting.row("agents", id=AGENT)
    assert (agent["version"], agent["last_check_in_at"]) == ("1.2.3", datetime(2024, 6, 1, tzinfo=UTC))
    assert agent["facts"]["hostname"] == "WS-002"


def test_an_adopted_user_gets_no_way_in(adopting: Adopting) -> None:
    """No password, status, second factor, role, token or trusted device; of sessions only revoked ones."""
    user = adopting.row("users", id=ADA)
    assert (user["password_hash"], user["status"], user["last_name"]) == ("of-the-application", "invited", "Byron")
    assert user["first_name"] == "Ada"
    security = adopting.row("user_security", user_id=ADA)
    assert (security["two_factor_enabled"], security["totp_secret"], security["recovery_codes"]) == (False, None, None)
    for table in ("user_roles", "personal_access_tokens", "trusted_devices"):
        assert [row for row in adopting.migration.rows(table) if str(row["user_id"]) == ADA] == [], table
    sessions = [row for row in adopting.migration.rows("sessions") if str(row["user_id"]) == ADA]
    assert [row for row in sessions if row["revoked_at"] is None] == []
    rules = adopting.reports["user_roles"].accounts["users"].rules
    assert rules[(Ledger.FILTERED, "adopted_user")] == 1


def test_a_system_role_is_never_adopted(adopting: Adopting) -> None:
    """The organization's own role of the name is; its grants stay its own."""
    new_keys = {new_key for new_key, _, _ in adopting.map("roles").values()}
    assert new_keys.isdisjoint({SYSTEM_OWNER, SYSTEM_TECHNICIAN})
    assert {TECHNICIAN, OWNER} <= new_keys
    linked = {str(row["role_id"]) for row in adopting.migration.rows("user_roles")}
    assert linked.isdisjoint({SYSTEM_OWNER, SYSTEM_TECHNICIAN})
    grants = [row for row in adopting.migration.rows("role_permissions") if str(row["role_id"]) in {TECHNICIAN, OWNER}]
    assert [(str(row["role_id"]), row["permission_key"]) for row in grants] == [(TECHNICIAN, "tickets.write")]
    assert adopting.row("roles", id=OWNER)["description"] == "Mine"
    assert adopting.row("roles", id=SYSTEM_OWNER) in adopting.before["roles"]


def test_of_two_candidates_the_oldest_is_adopted(adopting: Adopting) -> None:
    assert adopting.row("clients", id=YOUNGER_ACME) in adopting.before["clients"]
    assert YOUNGER_ACME not in {new_key for new_key, _, _ in adopting.map("clients").values()}


def test_a_taken_uuid_gives_way_and_children_follow(adopting: Adopting) -> None:
    """The application's row of that id is another thing: ours gets a derived id, and what refers to it goes there."""
    assert adopting.row("devices", id=TAKEN_DEVICE) in adopting.before["devices"]
    device, adopted, rule = adopting.map("devices")["devices", TAKEN_DEVICE]
    assert (adopted, rule) == (False, "derived_collision")
    assert adopting.row("devices", id=device)["hostname"] == "LAP-004"
    assert str(adopting.row("agents", agent_uuid="a0000006-0000-4000-8000-000000000000")["device_id"]) == device
    assigned = adopting.map("check_assignments")["check_assignments", "ca000007-0000-4000-8000-000000000000"][0]
    assert str(adopting.row("check_assignments", id=assigned)["target_id"]) == device
    ticket = adopting.map("tickets")["tickets", "7c000013-0000-4000-8000-000000000000"][0]
    assert str(adopting.row("tickets", id=ticket)["device_id"]) == device


def test_tickets_are_never_adopted(adopting: Adopting) -> None:
    """Equal numbers are different tickets: the newcomer gets another number, and a tag that says which it had."""
    assert adopting.reports["tickets"].total(Ledger.ADOPTED) == 0
    for mine in adopting.before["tickets"]:
        assert adopting.row("tickets", id=str(mine["id"])) == mine
    numbers = {}
    for legacy_key, number in (
        ("7c000005-0000-4000-8000-000000000000", 1005),
        ("7c000008-0000-4000-8000-000000000000", 1008),
    ):
        new_key = adopting.map("tickets")["tickets", legacy_key][0]
        numbers[number] = adopting.row("tickets", id=new_key)["ticket_number"]
        tags = {row["tag"] for row in adopting.migration.rows("ticket_tags") if str(row["ticket_id"]) == new_key}
        assert f"legacy-number:{number}" in tags
    assert min(numbers.values()) > 9007199254740995


def test_a_ticket_of_a_taken_uuid_takes_its_children_along(adopting: Adopting) -> None:
    new_key, adopted, _ = adopting.map("tickets")["tickets", TAKEN_TICKET]
    assert (adopted, new_key == TAKEN_TICKET) == (False, False)
    assert adopting.row("tickets", id=new_key)["ticket_number"] == 1001
    assert [row["tag"] for row in adopting.migration.rows("ticket_tags") if str(row["ticket_id"]) == TAKEN_TICKET] == [
        "mine"
    ]
    linked = [
        row
        for row in adopting.migration.rows("email_messages")
        if row["subject"] == "Re: [TICKET:#1001] Printer on fire"
    ]
    assert [str(row["ticket_id"]) for row in linked] == [new_key]


def test_a_plan_before_the_first_run_says_the_same(adopting: Adopting, edge_db: Database, server: Server) -> None:
    target = foreign_target(server)
    insert_before(target)
    planned = Migration.of(edge_db, target, planning=True).run()
    wanted = {table: report.total(Ledger.ADOPTED) for table, report in adopting.reports.items()}
    assert {table: report.total(Ledger.ADOPTED) for table, report in planned.items()} == wanted
    target.drop()


def test_the_second_run_changes_nothing(adopting: Adopting) -> None:
    before = adopting.migration.versions()
    conflicts = "SELECT table_name, new_key, columns FROM remoteiq_etl.conflicts ORDER BY 1, 2"
    listed = adopting.migration.query(conflicts)
    images = adopting.migration.query("SELECT count(*) FROM remoteiq_etl.before_images")
    reports = adopting.migration.run()
    assert {table for table, rows in adopting.migration.versions().items() if rows != before[table]} == set()
    writes = (Ledger.INSERTED, Ledger.ADOPTED, Ledger.UPDATED)
    assert {table: [report.total(outcome) for outcome in writes] for table, report in reports.items()} == {
        table: [0, 0, 0] for table in reports
    }
    assert adopting.migration.query(conflicts) == listed
    assert adopting.migration.query("SELECT count(*) FROM remoteiq_etl.before_images") == images
