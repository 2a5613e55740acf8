"""`application`: what it says to people and to programs, and how it ends."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, Migrated
from tests.support.migrating import Migration


def test_it_is_planned_made_looked_at_and_taken_away(
    cli: Cli, migrated: Migrated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Migration.of(migrated.legacy, migrated.target).accept_copy()
    both = {"legacy": migrated.legacy, "target": migrated.target}
    asked = json.loads(cli("plan", "--json", **both).out)["own_requests"]
    assert asked[0]["keys"] == "me."
    assert len(asked[0]["roles"]) > 1
    (tmp_path / "remoteiq.toml").write_text('[application]\ngranted_keys = ["me.profile"]\n', encoding="utf-8")
    monkeypatch.setenv("REMOTEIQ_CONFIG", str(tmp_path / "remoteiq.toml"))
    assert json.loads(cli("plan", "--json", **both).out)["own_requests"] == []
    missing = cli("application", "check", **both)
    assert (missing.code, "column users.phone: missing" in missing.out) == (1, True)
    assert 'ALTER TABLE "public"."users" ADD COLUMN "phone" text;' in cli("application", "plan", **both).out
    made = json.loads(cli("application", "install", "--json", **both).out)["made"]
    grants = [name for name in made if name.startswith("grant me.profile to ")]
    assert len(grants) > 1
    assert "All of it was there." in cli("application", "install", **both).out
    assert json.loads(cli("application", "check", "--json", **both).out)["complete"]
    found = json.loads(cli("gate", "status", "--json", **both).out)["rules"]
    assert next(one for one in found if one["name"] == "unmanaged_grants")["open"] == []
    removed = json.loads(cli("application", "remove", "--json", **both).out)
    assert {*grants, "permission me.profile", "table jobs", "table branding_settings"} <= set(removed["gone"])
    assert "label ticket_status.in_progress stays" in " ".join(cli("application", "remove", **both).out.split())


def test_a_key_in_another_form_is_refused(
    cli: Cli, migrated: Migrated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "remoteiq.toml").write_text('[application]\ngranted_keys = ["Me Profile"]\n', encoding="utf-8")
    monkeypatch.setenv("REMOTEIQ_CONFIG", str(tmp_path / "remoteiq.toml"))
    ended = cli("application", "check", legacy=migrated.legacy, target=migrated.target)
    assert (ended.code, "a list of permission keys" in ended.err) == (1, True)
