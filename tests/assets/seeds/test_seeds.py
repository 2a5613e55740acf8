"""The seeds as pure functions: which are written, and what they are."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from assets.access import permissions
from assets.access.rules.permission_catalogue import PERMISSIONS
from assets.monitoring.rules import seeded_checks
from assets.seeds import (
    check_profile_members,
    check_profiles,
    seed_backup_policies,
    seed_checks,
    seed_permissions,
    seed_role_permissions,
    seed_roles,
)
from assets.seeds.rules import settings, templates
from assets.seeds.rules.system_roles import SYSTEM_ROLES
from assets.shared import seed
from assets.shared.seed import SEED
from remoteiq_etl.frames.dtypes import frame
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.spec.batch import KEY
from remoteiq_etl.spec.decisions import TAKES_ROW_OF, Decided, Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.table import OWNER
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import batch_of, rows_of
from tests.support import expected

CONTEXT = Context()


def context_of(**lookups: dict[str, str]) -> Context:
    """Lookups by entity__legacy_table."""
    places = {tuple(name.split("__")): Lookup.of(entries) for name, entries in lookups.items()}
    return Context(lookups=places)  # type: ignore[arg-type]


def present(*rows: tuple[str, str], slug: str = "default") -> Any:
    return frame({"id": [id_ for id_, _ in rows], "name": [name for _, name in rows], "slug": [slug] * len(rows)})


def keys(decided: Decided) -> list[str]:
    return list(decided.rows[SEED][KEY])


def written(names: Iterable[str], context: Context, *rows: tuple[str, str]) -> list[str]:
    return seed.to_write(names, present(*rows), context, "things", ("things",))


class TestWhichAreWritten:
    def test_those_whose_name_is_free(self) -> None:
        """Names are compared normalised."""
        assert written(["A", "B  b"], CONTEXT, ("1", "b B")) == ["A"]

    def test_those_written_before(self) -> None:
        """The merge sees whether they were removed or edited."""
        context = context_of(things__seed={"a": "1", "b": "2"})
        assert written(["A", "B"], context, ("1", "A"), ("3", "B")) == ["A", "B"]

    def test_not_one_whose_row_was_taken_over(self) -> None:
        context = context_of(things__seed={"a": "1"}, things__things={"x": "1"})
        assert written(["A"], context) == []

    def test_one_that_was_deleted_in_the_target(self) -> None:
        """It is handed on, and the merge counts it as deleted in target."""
        context = Context(lookups={("things", SEED): Lookup.of({}, deleted=frozenset({"a"}))})
        assert written(["A"], context, ("5", "A")) == ["A"]

    def test_rows_of_other_organizations_do_not_count(self) -> None:
        assert len(seed.of_organization(present(("1", "A"), slug="other"), CONTEXT)) == 0
        assert len(seed.of_organization(present(("1", "A")), CONTEXT)) == 1

    @pytest.mark.parametrize(
        ("module", "entity", "name", "others"),
        [
            (seed_roles, "roles", "Owner", ()),
            (seed_checks, "checks", "Template: CPU", ("checks", "derived")),
            (check_profiles, "check_profiles", "Template: Baseline", ()),
            (seed_backup_policies, "backup_policies", "Template: Daily backup", ()),
            (seed_permissions, "permissions", "users.read", ("permissions", "derived")),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_each_table_looks_into_its_own_map(
        self, module: Any, entity: str, name: str, others: tuple[str, ...]
    ) -> None:
        """A seed written before is written again, unless a migrated row has taken its row over."""
        key = seed.key_of(name)
        inputs = {"present": present(("1", name)), "legacy": frame({"key": []})}
        assert key in keys(module.decide(inputs, StoredDecisions(), context_of(**{f"{entity}__seed": {key: "1"}})))
        for other in others:
            context = context_of(**{f"{entity}__seed": {key: "1"}, f"{entity}__{other}": {"x": "1"}})
            assert key not in keys(module.decide(inputs, StoredDecisions(), context)), other

    @pytest.mark.parametrize("module", [seed_roles, seed_checks, check_profiles, seed_backup_policies])
    def test_all_but_the_catalogue_come_after_everything_that_is_migrated(self, module: Any) -> None:
        """Section 8 is the last."""
        assert {"email_ingest_state", "email_messages", "dkim_keys"} <= set(module.SPEC.dependencies)

    def test_the_catalogue_comes_before_the_permissions(self) -> None:
        assert "seed_permissions" in permissions.SPEC.dependencies
        assert seed_permissions.SPEC.dependencies == ()


class TestPermissions:
    def test_the_catalogue_is_that_of_the_mapping(self) -> None:
        wanted = {key: group for group, keys in expected.seeds()["permissions"].items() for key in keys}
        assert {key: one.group_key for key, one in PERMISSIONS.items()} == wanted

    def test_keys_that_legacy_has_are_skipped(self) -> None:
        legacy = frame({"key": [" Users.READ ", None]})
        found = keys(seed_permissions.decide({"legacy": legacy, "present": present()}, StoredDecisions(), CONTEXT))
        assert found == [key for key in PERMISSIONS if key != "users.read"]

    def test_row(self) -> None:
        row = rows_of(seed_permissions.transform(batch_of({KEY: ["users.2fa.reset"]}), CONTEXT))[0]
        assert row == {
            KEY: "users.2fa.reset",
            "permission_key": "users.2fa.reset",
            "label": "Reset two-factor authentication",
            "group_key": "users",
            "group_label": "Users",
            "created_at": None,
        }


class TestRoles:
    def test_grants_are_those_of_the_mapping(self) -> None:
        found = {role.name: sorted(role.grants) for role in SYSTEM_ROLES.values()}
        assert found == {name: sorted(keys) for name, keys in expected.seeds()["system_roles"].items()}

    @staticmethod
    def decide(context: Context, recorded: StoredDecisions | None = None, *rows: tuple[str, str]) -> Decided:
        return seed_roles.decide({"present": present(*rows)}, recorded or StoredDecisions(), context)

    @staticmethod
    def legacy(*names: str, made: tuple[str, ...] = (), seeded: dict[str, str] | None = None) -> Context:
        lookups = {
            ("roles", "roles.name"): Lookup.of({}, decisions={name: {} for name in names}),
            ("roles", "users.role"): Lookup.of({}, decisions={name: {} for name in made}),
            ("roles", SEED): Lookup.of(seeded or {}),
        }
        return Context(lookups=lookups)

    def test_none_where_a_role_has_the_name(self) -> None:
        assert keys(self.decide(CONTEXT, None, ("1", "READONLY"))) == ["owner", "administrator", "technician"]
        assert keys(self.decide(self.legacy("owner", made=("readonly",)))) == ["administrator", "technician"]

    @pytest.mark.parametrize("names", [{"names": ("owner",)}, {"made": ("owner",)}])
    def test_a_seed_gives_way_to_a_role_that_came_later(self, names: dict[str, tuple[str, ...]]) -> None:
        context = self.legacy(*names.get("names", ()), made=names.get("made", ()), seeded={"owner": "1"})
        found = self.decide(context, None, ("1", "Owner"))
        assert found.decisions == [Decision(SEED, "owner", "gives_way")]
        assert "owner" not in keys(found)
        assert found.warned == {"seed_gives_way": 1}

    def test_one_that_no_role_came_for_stays(self) -> None:
        found = self.decide(self.legacy("administrator", seeded={"owner": "1"}), None, ("1", "Owner"))
        assert (found.decisions, "owner" in keys(found)) == ([], True)

    def test_a_grant_without_its_role_waits(self) -> None:
        batch = batch_of({KEY: ["k"], "role": ["owner"], "permission_key": ["users.read"]})
        seed_role_permissions.transform(batch, CONTEXT)
        assert [disposal.parent for disposal in batch.disposals.values()] == [("roles", "owner")]

    def test_it_gave_way_for_good(self) -> None:
        """Also when the legacy role is gone again; it is reported once."""
        gone = Decision(SEED, "owner", seed_roles.GIVES_WAY)
        found = self.decide(self.legacy(seeded={"owner": "1"}), StoredDecisions({(SEED, "owner"): gone}))
        assert (found.decisions, "owner" in keys(found), found.warnings) == ([gone], False, [])

    def test_row(self) -> None:
        """A role of the whole system: it is of no organization."""
        first, *others = rows_of(seed_roles.transform(batch_of({KEY: list(SYSTEM_ROLES)}), CONTEXT))
        assert (first["id"], first["organization_id"]) == (CONTEXT.derive("roles", SEED, "owner"), None)
        assert {row["scope"] for row in (first, *others)} == {"system"}
        assert {row["name"]: row["description"] for row in (first, *others)} == {
            "Owner": "Everything",
            "Administrator": "Everything but deleting roles and billing",
            "Technician": "Devices, agents, checks and tickets",
            "ReadOnly": "Looking without changing",
        }

    def test_grants_of_roles_and_permissions_that_are_there(self) -> None:
        context = context_of(
            roles__seed={"technician": "1"},
            permissions__permissions={"x": "devices.read"},
            permissions__derived={"y": "agents.view"},
            permissions__seed={"tickets.read": "tickets.read"},
        )
        inputs = {"permissions": frame({"permission_key": ["checks.run", "billing.read"]})}
        rows = seed_role_permissions.decide(inputs, StoredDecisions(), context).rows[SEED]
        assert sorted(rows["permission_key"]) == ["agents.view", "checks.run", "devices.read", "tickets.read"]
        assert set(rows["role"]) == {"technician"}
        assert rows[KEY].iloc[0] == key_text(["technician", rows["permission_key"].iloc[0]])

    def test_grant(self) -> None:
        columns = {KEY: ["k"], "role": ["owner"], "permission_key": ["users.read"]}
        row = rows_of(seed_role_permissions.transform(batch_of(columns), context_of(roles__seed={"owner": "1"})))[0]
        assert row == {KEY: "k", "role_id": "1", "permission_key": "users.read", OWNER: "owner"}


class TestTemplates:
    def test_checks(self) -> None:
        found = seed_checks.decide({"present": present(("1", "Template: DISK"))}, StoredDecisions(), CONTEXT)
        assert keys(found) == ["template: cpu", "template: memory", "template: ping"]
        rows = rows_of(seed_checks.transform(batch_of({KEY: list(templates.CHECKS)}), CONTEXT))
        assert [(row["name"], row["type"]) for row in rows] == [
            ("Template: CPU", "metric"),
            ("Template: Memory", "metric"),
            ("Template: Disk", "metric"),
            ("Template: Ping", "ping"),
        ]
        assert [json.loads(row["config"]).get("metric") for row in rows] == ["cpu", "memory", "disk", None]
        assert [json.loads(row["config"])["enabled"] for row in rows] == [False] * 4
        assert rows[0]["id"] == CONTEXT.derive("checks", SEED, "template: cpu")
        assert {row["organization_id"] for row in rows} == {CONTEXT.organization_id}
        assert {row["schedule"] for row in rows} == {"@every 300s"}
        assert [row["description"] for row in rows] == [
            "Processor load",
            "Memory in use",
            "Disk space in use",
            "Whether a host answers",
        ]
        unknown = ("category", "created_by", "created_at", "updated_at")
        assert [rows[0][name] for name in unknown] == [None] * 4

    def test_a_check_that_comes_under_the_name_takes_over(self) -> None:
        """Not one that has a row already, nor a row that another check has taken."""
        names = {
            ("checks", "a"): "Template: CPU",
            ("checks", "b"): "Template: Disk",
            ("derived", "c"): "Template: Ping",
        }
        context = context_of(
            checks__seed={"template: cpu": "1", "template: disk": "2", "template: ping": "3"},
            checks__checks={"b": "9"},
            checks__derived={"z": "3"},
        )
        over = seeded_checks.taken_over(names, context)
        assert over == {("checks", "a"): "template: cpu"}
        plain = [Decision("checks", "a", "name", {"name": "x"}), Decision("checks", "b", "name")]
        assert seeded_checks.inheriting(plain, over, context) == [
            Decision("checks", "a", "name", {"name": "x", TAKES_ROW_OF: [SEED, "template: cpu"]}, "1"),
            plain[1],
        ]

    def test_of_two_spellings_the_first_takes_over(self) -> None:
        names = {("checks", "a"): "Template: CPU", ("checks", "b"): "TEMPLATE: CPU"}
        assert list(seeded_checks.taken_over(names, context_of(checks__seed={"template: cpu": "1"}))) == [
            ("checks", "a")
        ]

    def test_profile(self) -> None:
        assert keys(check_profiles.decide({"present": present()}, StoredDecisions(), CONTEXT)) == ["template: baseline"]
        row = rows_of(check_profiles.transform(batch_of({KEY: ["template: baseline"]}), CONTEXT))[0]
        assert (row["name"], row["id"]) == ("Template: Baseline", CONTEXT.derive("check_profiles", SEED, row[KEY]))
        assert row["organization_id"] == CONTEXT.organization_id
        assert row["description"] == "The checks that every device should have"

    def test_members(self) -> None:
        """The templates that are there, where the profile is."""
        context = context_of(check_profiles__seed={"template: baseline": "p"}, checks__seed={"template: cpu": "1"})
        found = keys(check_profile_members.decide({}, StoredDecisions(), context))
        assert found == ["template: cpu"]
        row = rows_of(check_profile_members.transform(batch_of({KEY: found}), context))[0]
        assert (row["profile_id"], row["check_id"]) == ("p", "1")
        without = context_of(checks__seed={"template: cpu": "1"})
        assert keys(check_profile_members.decide({}, StoredDecisions(), without)) == []

    def test_policy(self) -> None:
        found = keys(seed_backup_policies.decide({"present": present()}, StoredDecisions(), CONTEXT))
        row = rows_of(seed_backup_policies.transform(batch_of({KEY: found}), CONTEXT))[0]
        assert (row["name"], row["schedule"], json.loads(row["retention"])) == (
            "Template: Daily backup",
            "daily",
            {"days": 30},
        )
        assert (row["target_type"], row["is_default"], json.loads(row["options"])) == (
            "organization",
            False,
            {"enabled": False},
        )
        assert (row["id"], row["organization_id"]) == (
            CONTEXT.derive("backup_policies", SEED, row[KEY]),
            CONTEXT.organization_id,
        )
        assert "destination_id" not in row
        assert row["description"] == "A backup a day, kept for thirty days"


def test_settings_of_tables_without_a_row() -> None:
    """Contacts are never invented, nor is a company."""
    assert settings.seeded([]) == {}
    assert settings.seeded(["support_legal", "company_profile", "backups_config"]) == {}
    found = settings.seeded(["branding_settings", "localization_settings", "support_legal_settings"])
    assert found == {
        "branding": {"allowClientThemeToggle": False},
        "localization": {
            "language": "en-US",
            "dateFormat": "MM/DD/YYYY",
            "timeFormat": "h:mm a",
            "numberFormat": "1,234.56",
            "timeZone": "UTC",
            "firstDayOfWeek": "sunday",
        },
        "support": {"showChatWidget": False},
    }
