import json
from datetime import UTC, datetime
from typing import Any

import pytest

from assets.backups import backup_destinations, backup_policies, backups_config
from assets.backups.backup_destinations import configuration, provider
from assets.backups.rules import config_row
from remoteiq_etl.frames.dtypes import BOOLEAN, INTEGER, TIMESTAMP, frame
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import batch_of, outcomes, rows_of

CONFIG = {
    "id": "singleton",
    "enabled": True,
    "targets": '["users"]',
    "schedule": " Daily",
    "cron_expr": "0 2 * * *",
    "retention_days": 14,
    "encrypt": False,
    "destination": '{"kind":"s3","bucket":"b"}',
    "notifications": '{"email":true}',
    "last_scheduled_at": datetime(2024, 1, 1, 2, 3, 4, 5000, tzinfo=UTC),
}
DTYPES = {"enabled": BOOLEAN, "encrypt": BOOLEAN, "retention_days": INTEGER, "last_scheduled_at": TIMESTAMP}
LOOKUPS = {
    ("organizations", "derived"): Lookup.of({"default": "org"}),
    ("backup_destinations", "backups_config"): Lookup.of({"singleton": "dest"}),
}
CONTEXT = Context(lookups=LOOKUPS, prepared={"used": "singleton"})


def batch(**values: object) -> Batch:
    return batch_of({name: [value] for name, value in {**CONFIG, **values}.items()}, DTYPES)


def destination(value: object) -> Batch:
    text = None if value is None else json.dumps(value)
    return backup_destinations.transform(batch(destination=text), CONTEXT)


def policy(context: Context = CONTEXT, **values: object) -> dict[str, Any]:
    return rows_of(backup_policies.transform(batch(**values), context))[0]


def used(*ids: str, recorded: str | None = None) -> tuple[object, list[object]]:
    known = {} if recorded is None else {("config", "used"): Decision("config", "used", "config_row", {"id": recorded})}
    found = config_row.decide({"config": frame({"id": list(ids)})}, StoredDecisions(known), Context())
    return found.prepared["used"], [
        (choice.legacy_table, choice.legacy_key, choice.rule, dict(choice.values)) for choice in found.decisions
    ]


def test_the_singleton_row_is_used_else_the_first() -> None:
    """The row `singleton` is used, else the first by id; without rows there is none."""
    assert used("a", "singleton") == ("singleton", [("config", "used", "config_row", {"id": "singleton"})])
    assert used("b", "a")[0] == "a"
    assert used() == (None, [])


def test_the_row_once_chosen_stays_while_it_is_there() -> None:
    """A recorded choice stands until its row is gone."""
    assert used("a", "singleton", recorded="a") == ("a", [("config", "used", "config_row", {"id": "a"})])
    assert used("b", "singleton", recorded="a")[0] == "singleton"


def test_other_rows_make_neither_destination_nor_policy() -> None:
    """Rows that are not used are left out; the target's backups_config has them all."""
    context = Context(lookups=LOOKUPS, prepared={"used": "other"})
    for transform in (backup_destinations.transform, backup_policies.transform):
        assert outcomes(transform(batch(), context)) == {"singleton": ("filtered", "other_config_row")}
    nothing = Context(lookups=LOOKUPS, prepared={"used": None})
    assert outcomes(backup_policies.transform(batch(), nothing)) == {"singleton": ("filtered", "other_config_row")}


def test_the_destination_is_carried_whole() -> None:
    """The configuration is the whole object, its kind included."""
    row = rows_of(destination({"kind": "s3", "bucket": "b"}))[0]
    assert (row["name"], row["provider"], row["organization_id"]) == ("Default Backup Destination", "s3", "org")
    assert row["id"] == CONTEXT.derive("backup_destinations", "backups_config", "singleton")
    assert json.loads(row["configuration"]) == {"kind": "s3", "bucket": "b"}


@pytest.mark.parametrize(
    ("kind", "expected"), [("local", "local"), ("remote", "sftp"), (" Remote ", "sftp"), ("gdrive", "gdrive")]
)
def test_remote_is_sftp(kind: str, expected: str) -> None:
    """The provider is the kind; remote is sftp. The kind inside the configuration stays."""
    assert provider(kind) == expected
    assert json.loads(rows_of(destination({"kind": kind}))[0]["configuration"]) == {"kind": kind}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"path": "/var/backups"}, {"path": "/var/backups", "kind": "local"}),
        ({"path": "C:\\backups"}, {"path": "C:\\backups", "kind": "local"}),
        ({"path": "\\\\server\\share"}, {"path": "\\\\server\\share", "kind": "local"}),
        ({"path": "/b", "kind": " "}, {"path": "/b", "kind": "local", "legacyValues": {"kind": " "}}),
        ({"path": "/b", "kind": 7}, {"path": "/b", "kind": "local", "legacyValues": {"kind": 7}}),
        ("/var/backups", {"value": "/var/backups", "path": "/var/backups", "kind": "local"}),
        ("backups", None),
        ({"path": "backups"}, None),
        ({"path": 7}, None),
        (["/var/backups"], None),
        ({}, None),
        (None, None),
    ],
)
def test_an_absolute_path_is_local(value: object, expected: dict[str, Any] | None) -> None:
    """Without a kind, an absolute path makes it local; else there is no destination."""
    assert configuration(value) == expected


def test_a_destination_without_kind_or_path_is_quarantined() -> None:
    """A destination that no worker could use makes no row, and is quarantined."""
    found = destination({"bucket": "b"})
    assert outcomes(found) == {"singleton": ("quarantined", "destination_without_kind")}
    assert found.disposals[0].columns == ("destination",)
    assert found.disposals[0].detail == "neither a kind nor an absolute path"


def test_a_connection_that_does_not_exist_is_counted() -> None:
    """A connectionId is reported, for there is no connection."""
    assert dict(destination({"kind": "s3", "connectionId": "c"}).warnings) == {"destination_connection_missing": 1}
    assert dict(destination({"kind": "s3", "connectionId": None}).warnings) == {}
    assert dict(destination({"connectionId": "c"}).warnings) == {}


def test_the_policy_is_the_default_of_the_organization() -> None:
    """The policy is named and described as the application expects, and leads to the destination."""
    row = policy()
    assert row["id"] == CONTEXT.derive("backup_policies", "backups_config", "singleton")
    assert (row["name"], row["description"]) == ("Default Backup Policy", "Normalized default backups policy")
    assert (row["organization_id"], row["destination_id"]) == ("org", "dest")
    assert (row["target_type"], row["is_default"]) == ("organization", True)
    assert json.loads(row["retention"]) == {"days": 14}
    assert not {"target_id", "created_by"} & set(row)


@pytest.mark.parametrize("word", ["hourly", "Daily", "weekly", "cron"])
def test_the_schedule_stays_a_keyword(word: str) -> None:
    """The schedule is a keyword; any other text is quarantined."""
    assert policy(schedule=word)["schedule"] == word.lower()
    found = backup_policies.transform(batch(schedule="0 2 * * *"), CONTEXT)
    assert outcomes(found) == {"singleton": ("quarantined", "unknown_word")}


def test_a_policy_is_off_until_the_cut_over() -> None:
    """options.enabled is carried from the cut-over on; before, it is false with legacyEnabled kept."""
    before = json.loads(policy()["options"])
    assert before == {
        "enabled": False,
        "legacyEnabled": True,
        "targets": ["users"],
        "cronExpr": "0 2 * * *",
        "encrypt": False,
        "notifications": {"email": True},
        "lastScheduledAt": "2024-01-01T02:03:04.005000+00:00",
    }
    cut_over = Context(lookups=LOOKUPS, prepared=CONTEXT.prepared, options={"cut_over": "2024-05-01T10:00:00+00:00"})
    assert json.loads(policy(cut_over)["options"]) == {**before, "enabled": True}
    off = json.loads(policy(cut_over, enabled=False, last_scheduled_at=None)["options"])
    assert (off["enabled"], off["legacyEnabled"], "lastScheduledAt" in off) == (False, False, False)


def test_the_configuration_is_carried_unchanged() -> None:
    """Every row and column of backups_config is carried as it is."""
    row = rows_of(backups_config.transform(batch(), CONTEXT))[0]
    assert {name: row[name] for name in CONFIG} == CONFIG
    assert backups_config.SPEC.sources[0].primary
    assert not backup_policies.SPEC.sources[0].primary
    assert not backup_destinations.SPEC.sources[0].primary
