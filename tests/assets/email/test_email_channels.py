import json
from datetime import UTC, datetime
from typing import Any

import pytest

from assets.email.email_channels import PURPOSE, decide, transform_purposes, transform_settings
from assets.email.rules.channels import purpose_key
from remoteiq_etl.frames.dtypes import BOOLEAN, INTEGER, TIMESTAMP, frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import SAME_AS, Decided, Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import batch_of, plain, rows_of

CONTEXT = Context(lookups={("organizations", "derived"): Lookup.of({"default": "org"})})
SETTING: dict[str, Any] = {
    "purpose": "alerts",
    "enabled": True,
    "smtp_host": "smtp.example.com",
    "smtp_port": 587,
    "smtp_username": "su",
    "smtp_password": "sp",
    "smtp_use_tls": True,
    "smtp_use_ssl": False,
    "smtp_from_address": "from@example.com",
    "imap_host": "imap.example.com",
    "imap_port": 993,
    "imap_username": "iu",
    "imap_password": "ip",
    "imap_use_ssl": True,
    "pop_host": "pop.example.com",
    "pop_port": None,
    "pop_username": "pu",
    "pop_password": None,
    "pop_use_ssl": False,
    "updated_at": datetime(2024, 1, 1, tzinfo=UTC),
}
DTYPES = {
    **{name: INTEGER for name in SETTING if name.endswith("_port")},
    **{name: BOOLEAN for name, value in SETTING.items() if isinstance(value, bool)},
    "updated_at": TIMESTAMP,
}


def setting(context: Context = CONTEXT, **values: object) -> dict[str, Any]:
    row = {name: [value] for name, value in {**SETTING, **values}.items()}
    return rows_of(transform_settings(batch_of(row, DTYPES, key="purpose"), context))[0]


def decided(
    settings: list[str], *used: tuple[str, str | None, int], recorded: dict[str, Decision] | None = None
) -> Decided:
    """Purposes of the settings; (input, purpose, uses) of the other tables."""
    inputs = {"settings": frame({"purpose": settings})}
    for name in ("state", "ingested", "events"):
        rows = [(purpose, uses) for table, purpose, uses in used if table == name]
        inputs[name] = frame({"purpose": [row[0] for row in rows], "uses": [row[1] for row in rows]}, {"uses": INTEGER})
    known = {("derived", key): choice for key, choice in (recorded or {}).items()}
    return decide(inputs, StoredDecisions(known), CONTEXT)


def meant(found: Decided) -> dict[str, list[str]]:
    return {choice.legacy_key: choice.values[SAME_AS] for choice in found.decisions if choice.legacy_table == "purpose"}


@pytest.mark.parametrize(
    ("purpose", "name", "label"),
    [
        ("alerts", "Alerts", "alerts"),
        ("invites", "Invites", "system"),
        ("password_resets", "Password resets", "system"),
        ("reports", "Reports", "system"),
    ],
)
def test_one_channel_per_purpose(purpose: str, name: str, label: str) -> None:
    """Each purpose has its channel: alerts for alerts, system for the others."""
    row = setting(purpose=purpose)
    assert (row["name"], row["purpose"], row["organization_id"]) == (name, label, "org")
    assert row["id"] == CONTEXT.derive("email_channels", "email_settings", purpose)
    assert row["updated_at"] == SETTING["updated_at"]


def test_an_operator_can_map_a_purpose() -> None:
    """The purpose is a value map like any other."""
    context = Context(words={PURPOSE.name: {"reports": "marketing"}})
    assert setting(context, purpose="reports")["purpose"] == "marketing"


@pytest.mark.parametrize(
    ("values", "outbound", "inbound"),
    [
        ({}, True, True),
        ({"smtp_host": " "}, False, True),
        ({"imap_host": ""}, True, False),
        ({"enabled": False}, False, False),
    ],
)
def test_a_direction_needs_a_host(values: dict[str, Any], outbound: bool, inbound: bool) -> None:
    """A channel sends when enabled with an SMTP host, and receives when enabled with an IMAP host."""
    row = setting(**values)
    assert (row["is_outbound_enabled"], row["is_inbound_enabled"]) == (outbound, inbound)


def test_the_settings_become_two_objects() -> None:
    """SMTP settings are one object; POP settings lie inside those of IMAP; nulls are left out."""
    row = setting()
    assert json.loads(row["smtp_settings"]) == {
        "host": "smtp.example.com",
        "port": 587,
        "username": "su",
        "password": "sp",
        "useTls": True,
        "useSsl": False,
        "fromAddress": "from@example.com",
        "legacyEnabled": True,
    }
    assert json.loads(row["imap_settings"]) == {
        "host": "imap.example.com",
        "port": 993,
        "username": "iu",
        "password": "ip",
        "useSsl": True,
        "pop": {"host": "pop.example.com", "username": "pu", "useSsl": False},
    }


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (" Alerts ", "alerts"),
        ("PASSWORD_RESETS", "password_resets"),
        ("Password  resets", "password_resets"),
        ("Support", "support"),
        (" ", None),
    ],
)
def test_purposes_are_compared_normalised(text: str, key: str | None) -> None:
    """A purpose is normalised; the name of one of the four channels means its purpose."""
    assert purpose_key(text) == key


def test_known_purposes_use_the_channels_of_the_settings() -> None:
    """A text purpose that a setting has makes no channel of its own."""
    found = decided(["alerts"], ("state", " ALERTS", 1), ("ingested", "Alerts", 5), ("events", None, 2))
    assert plain(found.rows["derived"]) == []
    assert meant(found) == {"alerts": ["email_settings", "alerts"]}


def test_a_purpose_without_setting_makes_a_channel() -> None:
    """One that names no channel makes one, in the spelling used most often over all tables."""
    used = [("state", "support", 1), ("ingested", "Support ", 2), ("events", "support", 2), ("ingested", " ", 1)]
    found = decided(["alerts"], *used)
    assert plain(found.rows["derived"]) == [{KEY: "support", "name": "support"}]
    assert meant(found) == {"alerts": ["email_settings", "alerts"], "support": ["derived", "support"]}
    assert {(choice.legacy_table, choice.legacy_key): choice.rule for choice in found.decisions} == {
        ("derived", "support"): "spelling",
        ("purpose", "alerts"): "settings",
        ("purpose", "support"): "derived",
    }
    row = rows_of(transform_purposes(Batch(found.rows["derived"]), CONTEXT))[0]
    assert row == {
        KEY: "support",
        "id": CONTEXT.derive("email_channels", "derived", "support"),
        "organization_id": "org",
        "name": "support",
        "purpose": "system",
        "is_outbound_enabled": False,
        "is_inbound_enabled": False,
    }


def test_a_recorded_spelling_stands_while_it_is_used() -> None:
    """The recorded spelling stays, also of a purpose that is not used any more."""
    recorded = {key: Decision("derived", key, "spelling", {"name": key.upper()}) for key in ("support", "gone")}
    found = decided([], ("ingested", "support", 9), ("events", "SUPPORT", 1), recorded=recorded)
    names = {
        choice.legacy_key: choice.values.get("name") for choice in found.decisions if choice.legacy_table == "derived"
    }
    assert names == {"support": "SUPPORT", "gone": "GONE"}
    assert plain(found.rows["derived"]) == [{KEY: "support", "name": "SUPPORT"}]


def test_a_known_purpose_without_setting_leaves_the_name_free() -> None:
    """A known purpose without its setting makes a channel that does not take the name of the setting's."""
    found = decided([], ("ingested", "Alerts", 9))
    assert plain(found.rows["derived"]) == [{KEY: "alerts", "name": "alerts"}]
    assert meant(found) == {"alerts": ["derived", "alerts"]}
    assert {(choice.legacy_table, choice.rule) for choice in found.decisions} == {
        ("derived", "spelling"),
        ("purpose", "derived"),
    }
    row = rows_of(transform_purposes(Batch(found.rows["derived"]), CONTEXT))[0]
    assert row["purpose"] == "alerts"
