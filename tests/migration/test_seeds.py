"""Seeds beside migrated rows: what they add, that they give way, and that nobody's change is undone by them."""

from itertools import pairwise
from typing import Any

import pytest

from remoteiq_etl.backfill.context.report import Ledger
from tests.support import expected
from tests.support.migrating import Migration, bare_target
from tests.support.server import Database, Server

ACCESS = (
    *("organizations", "seed_permissions", "permissions", "roles", "role_permissions", "users", "user_roles"),
    *("seed_roles", "seed_role_permissions"),
)
TEMPLATES = (
    *("organizations", "checks", "backup_policies"),
    *("seed_checks", "check_profiles", "check_profile_members", "seed_backup_policies"),
)
SETTINGS = ("organizations", "organization_settings", "organization_setting_audits")
ROLE = "11111111-1111-4111-8111-111111111111"
SEEDED = "SELECT name FROM roles WHERE scope = 'system' ORDER BY name"
CONTACTS = {"supportEmail", "supportPhone", "gdprContactEmail", "legalAddress", "company"}


@pytest.fixture
def bare(legacy_db: Database, application_target: Database) -> Migration:
    """An empty legacy database, and a target with all its constraints."""
    return Migration.of(legacy_db, application_target)


def add_role(migration: Migration, name: str) -> None:
    migration.legacy.execute(
        f"INSERT INTO roles (id, name, created_at) VALUES ('{ROLE}', '{name}', '2024-01-01 00:00:00+00')"
        f"; INSERT INTO role_meta (role_name, permissions) VALUES ('{name}', ARRAY['devices.read'])"
    )


def system_roles(migration: Migration) -> list[str]:
    return [row[0] for row in migration.query(SEEDED)]


def grants(migration: Migration, name: str, scope: str = "system") -> list[str]:
    return [
        row[0]
        for row in migration.query(
            "SELECT g.permission_key FROM role_permissions g JOIN roles r ON r.id = g.role_id"
            " WHERE r.name = %s AND r.scope::text = %s ORDER BY 1",
            *(name, scope),
        )
    ]


class TestAccess:
    def test_the_catalogue_and_the_system_roles(self, bare: Migration) -> None:
        bare.first_run(*ACCESS)
        keys = {key for keys in expected.seeds()["permissions"].values() for key in keys}
        assert {row[0] for row in bare.query("SELECT permission_key FROM permissions")} == keys
        wanted = {name: sorted(keys) for name, keys in expected.seeds()["system_roles"].items()}
        assert {name: grants(bare, name) for name in system_roles(bare)} == wanted
        assert bare.query("SELECT DISTINCT organization_id FROM roles") == [(None,)]

    def test_seeds_are_marked_in_the_map(self, bare: Migration) -> None:
        bare.first_run(*ACCESS)
        for table in ("permissions", "roles", "role_permissions"):
            found = bare.query(f"SELECT DISTINCT legacy_table, adopted FROM remoteiq_etl.legacy_{table}_map")
            assert found == [("seed", False)], table

    def test_a_second_run_writes_nothing(self, bare: Migration) -> None:
        bare.first_run(*ACCESS)
        before = bare.versions()
        bare.run(*ACCESS)
        assert bare.versions() == before

    def test_a_removed_seed_stays_removed(self, bare: Migration) -> None:
        bare.first_run(*ACCESS)
        bare.target.execute(
            "DELETE FROM roles WHERE name = 'Technician'; DELETE FROM permissions WHERE permission_key = 'teams.read';"
            "DELETE FROM role_permissions g USING roles r WHERE r.id = g.role_id AND r.name = 'ReadOnly'"
            " AND permission_key = 'users.read'"
        )
        for _ in range(2):
            bare.run(*ACCESS)
            assert system_roles(bare) == ["Administrator", "Owner", "ReadOnly"]
            assert bare.query("SELECT count(*) FROM permissions WHERE permission_key = 'teams.read'") == [(0,)]
            assert "users.read" not in grants(bare, "ReadOnly")
            assert "teams.read" not in grants(bare, "Owner")

    def test_an_edited_seed_stays_as_it_is(self, bare: Migration) -> None:
        bare.first_run(*ACCESS)
        bare.target.execute("UPDATE roles SET description = 'Ours'; UPDATE permissions SET label = 'Ours'")
        bare.run(*ACCESS)
        assert bare.query("SELECT DISTINCT description FROM roles") == [("Ours",)]
        assert bare.query("SELECT DISTINCT label FROM permissions") == [("Ours",)]
        assert bare.query("SELECT count(*) FROM remoteiq_etl.conflicts") == [(0,)]

    def test_rows_of_the_application_are_neither_adopted_nor_doubled(self, bare: Migration) -> None:
        bare.target.execute(
            "INSERT INTO roles (scope, name) VALUES ('system', 'OWNER');"
            "INSERT INTO permissions (permission_key, label, group_key, group_label) VALUES ('users.read', 'x', 'y', 'z')"
        )
        bare.run(*ACCESS)
        assert system_roles(bare) == ["Administrator", "OWNER", "ReadOnly", "Technician"]
        assert grants(bare, "OWNER") == []
        assert "users.read" in grants(bare, "Administrator")
        assert bare.query("SELECT label FROM permissions WHERE permission_key = 'users.read'") == [("x",)]
        assert bare.query("SELECT count(*) FROM remoteiq_etl.conflicts") == [(0,)]
        assert bare.query("SELECT count(*) FROM remoteiq_etl.legacy_roles_map WHERE adopted") == [(0,)]

    def test_no_seed_where_an_organization_role_has_the_name(self, bare: Migration) -> None:
        add_role(bare, " technician")
        bare.run(*ACCESS)
        assert system_roles(bare) == ["Administrator", "Owner", "ReadOnly"]

    def test_a_second_source_writes_no_second_catalogue(self, bare: Migration) -> None:
        bare.first_run(*ACCESS)
        before = bare.query("SELECT count(*) FROM roles"), bare.query("SELECT count(*) FROM permissions")
        bare.run(*ACCESS, source="second", organization_slug="second")
        assert (bare.query("SELECT count(*) FROM roles"), bare.query("SELECT count(*) FROM permissions")) == before

    def test_a_plan_counts_the_seeds_that_a_run_writes(self, migration: Migration) -> None:
        plan = migration.run(*ACCESS, planning=True)
        run = migration.run(*ACCESS)
        for name in ("seed_permissions", "seed_roles", "seed_role_permissions"):
            assert plan[name].total(Ledger.INSERTED) == run[name].total(Ledger.INSERTED) > 0, name


class TestLaterRole:
    """A legacy role of a seeded name that arrives later is inserted with its own grants."""

    @pytest.fixture
    def seeded(self, bare: Migration) -> Migration:
        bare.first_run(*ACCESS)
        return bare

    def test_the_seed_goes(self, seeded: Migration) -> None:
        add_role(seeded, "READONLY")
        reports = seeded.run(*ACCESS)
        assert system_roles(seeded) == ["Administrator", "Owner", "Technician"]
        assert grants(seeded, "READONLY", "organization") == ["devices.read"]
        assert grants(seeded, "ReadOnly") == []
        assert (reports["seed_roles"].removed, reports["seed_roles"].warnings["seed_gives_way"]) == (1, 1)
        images = seeded.query("SELECT table_name, count(*) FROM remoteiq_etl.before_images GROUP BY 1 ORDER BY 1")
        assert images == [("role_permissions", 11), ("roles", 1)]

    def test_it_does_not_come_back(self, seeded: Migration) -> None:
        add_role(seeded, "ReadOnly")
        seeded.run(*ACCESS)
        before = seeded.versions()
        second = seeded.run(*ACCESS)
        assert seeded.versions() == before
        assert "seed_gives_way" not in second["seed_roles"].warnings

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE roles SET description = 'Ours' WHERE name = 'ReadOnly'",
            "INSERT INTO role_permissions (role_id, permission_key) SELECT id, 'users.manage' FROM roles WHERE name = 'ReadOnly'",
            "DELETE FROM role_permissions USING roles WHERE id = role_id AND name = 'ReadOnly' AND permission_key = 'users.read'",
            "INSERT INTO users (id, organization_id, email, password_hash, first_name, last_name, status)"
            f" SELECT '{ROLE}', id, 'a@example.com', '!', 'A', 'B', 'active' FROM organizations;"
            f"INSERT INTO user_roles (user_id, role_id) SELECT '{ROLE}', id FROM roles WHERE name = 'ReadOnly'",
        ],
        ids=["edited", "more grants", "fewer grants", "has a user"],
    )
    def test_one_that_people_use_stays_whole(self, seeded: Migration, change: str) -> None:
        seeded.target.execute(change)
        before = grants(seeded, "ReadOnly")
        add_role(seeded, "ReadOnly")
        for _ in range(2):
            assert seeded.run(*ACCESS)["seed_roles"].removed == 0
            assert "ReadOnly" in system_roles(seeded)
            assert grants(seeded, "ReadOnly") == before
            assert grants(seeded, "ReadOnly", "organization") == ["devices.read"]

    def test_a_user_is_never_linked_to_a_seed(self, seeded: Migration) -> None:
        """Not even where the word names it: a role of the organization without permissions is made."""
        seeded.legacy.execute(
            "INSERT INTO users (id, email, name, role, status, password_hash)"
            f" VALUES ('{ROLE}', 'a@example.com', 'A B', 'owner', 'active', 'x')"
        )
        seeded.run(*ACCESS)
        linked = seeded.query(
            "SELECT r.scope::text, r.name, (SELECT count(*) FROM role_permissions WHERE role_id = r.id)"
            " FROM user_roles u JOIN roles r ON r.id = u.role_id"
        )
        assert linked == [("organization", "owner", 0)]
        assert "Owner" not in system_roles(seeded)

    def test_a_role_that_people_made_takes_nothing_away(self, seeded: Migration) -> None:
        seeded.target.execute(
            "INSERT INTO roles (organization_id, scope, name) SELECT id, 'organization', 'Owner' FROM organizations"
        )
        assert seeded.run(*ACCESS)["seed_roles"].removed == 0
        assert "Owner" in system_roles(seeded)


class TestLaterPermission:
    """A legacy permission whose key was seeded takes the row over."""

    @pytest.fixture
    def seeded(self, bare: Migration) -> Migration:
        bare.first_run(*ACCESS)
        bare.legacy.execute(
            "INSERT INTO permissions (id, key, label, group_key, group_label, created_at)"
            f" VALUES ('{ROLE}', 'Users.Read', 'See people', 'people', 'People', '2024-01-01 00:00:00+00')"
        )
        return bare

    def test_it_has_the_legacy_values(self, seeded: Migration) -> None:
        assert seeded.run(*ACCESS)["permissions"].total(Ledger.UPDATED) == 1
        query = "SELECT label, group_key, extract(year FROM created_at)::int FROM permissions WHERE permission_key = 'users.read'"
        assert seeded.query(query) == [("See people", "people", 2024)]
        before = seeded.versions()
        seeded.run(*ACCESS)
        assert seeded.versions() == before

    def test_an_edit_is_kept_and_listed(self, seeded: Migration) -> None:
        seeded.target.execute("UPDATE permissions SET label = 'Ours' WHERE permission_key = 'users.read'")
        assert seeded.run(*ACCESS)["permissions"].total(Ledger.CONFLICT) == 1
        assert seeded.query("SELECT label FROM permissions WHERE permission_key = 'users.read'") == [("Ours",)]

    def test_gone_again_it_is_not_seeded_again(self, seeded: Migration) -> None:
        seeded.run(*ACCESS)
        seeded.legacy.execute("DELETE FROM permissions")
        seeded.run(*ACCESS)
        assert seeded.query("SELECT label FROM permissions WHERE permission_key = 'users.read'") == [("See people",)]


class TestTemplates:
    def test_everything_is_switched_off_and_assigned_to_nothing(self, bare: Migration) -> None:
        bare.first_run(*TEMPLATES)
        seeds = expected.seeds()
        checks = bare.query("SELECT name, config -> 'enabled' FROM checks ORDER BY name")
        assert checks == [(name, False) for name in sorted(seeds["checks"])]
        members = bare.query(
            "SELECT p.name, c.name FROM check_profile_members JOIN check_profiles p ON p.id = profile_id"
            " JOIN checks c ON c.id = check_id ORDER BY 2"
        )
        assert members == [(seeds["check_profiles"][0], name) for name in sorted(seeds["checks"])]
        policy = bare.query(
            "SELECT name, options -> 'enabled', is_default, destination_id, target_id FROM backup_policies"
        )
        assert policy == [(seeds["backup_policies"][0], False, False, None, None)]
        assert bare.query("SELECT count(*) FROM check_assignments") == [(0,)]

    def test_a_second_run_writes_nothing(self, bare: Migration) -> None:
        bare.first_run(*TEMPLATES)
        before = bare.versions()
        bare.run(*TEMPLATES)
        assert bare.versions() == before

    def test_a_removed_template_stays_removed(self, bare: Migration) -> None:
        bare.first_run(*TEMPLATES)
        bare.target.execute(
            "DELETE FROM checks WHERE name = 'Template: CPU'; DELETE FROM check_profiles; DELETE FROM backup_policies"
        )
        for _ in range(2):
            bare.run(*TEMPLATES)
            counts = [
                bare.query(f"SELECT count(*) FROM {table}") for table in ("checks", "check_profiles", "backup_policies")
            ]
            assert counts == [[(3,)], [(0,)], [(0,)]]

    def test_a_name_that_is_taken_gets_no_seed(self, bare: Migration) -> None:
        bare.first_run("organizations")
        bare.target.execute(
            "INSERT INTO checks (organization_id, name, type, schedule, config)"
            " SELECT id, 'template:  cpu', 'script', 'x', '{}' FROM organizations;"
            "INSERT INTO check_profiles (organization_id, name) SELECT id, 'Template: Baseline' FROM organizations;"
            "INSERT INTO backup_policies (organization_id, name, schedule, retention, target_type)"
            " SELECT id, 'Template: Daily backup', 'weekly', '{}', 'organization' FROM organizations"
        )
        bare.run(*TEMPLATES)
        assert bare.query("SELECT count(*) FROM checks WHERE name = 'Template: CPU'") == [(0,)]
        assert bare.query("SELECT count(*) FROM check_profile_members") == [(0,)]
        assert bare.query("SELECT schedule FROM backup_policies") == [("weekly",)]

    def test_a_legacy_check_of_the_name_takes_the_row_over(self, bare: Migration) -> None:
        bare.first_run(*TEMPLATES)
        seed = bare.query("SELECT id FROM checks WHERE name = 'Template: CPU'")
        bare.legacy.execute(
            f"INSERT INTO checks (id, name, type, scope, severity_default, interval_sec, timeout_sec, enabled)"
            f" VALUES ('{ROLE}', 'Template: CPU', 'CPU', 'DEVICE', 'WARN', 60, 30, true)"
        )
        report = bare.run(*TEMPLATES)["checks"]
        assert (report.total(Ledger.UPDATED), report.total(Ledger.QUARANTINED)) == (1, 0)
        assert bare.query("SELECT id, config ->> 'legacyType' FROM checks WHERE name = 'Template: CPU'") == [
            (seed[0][0], "CPU")
        ]
        before = bare.versions()
        bare.run(*TEMPLATES)
        assert bare.versions() == before


class TestSettings:
    @staticmethod
    def row(migration: Migration) -> dict[str, Any]:
        return migration.rows("organization_settings")[0]

    def test_tables_without_a_row_give_what_the_legacy_application_assumes(self, bare: Migration) -> None:
        bare.first_run(*SETTINGS)
        row = self.row(bare)
        assert (row["localization"]["timeZone"], row["branding"]["allowClientThemeToggle"]) == ("UTC", False)
        assert not CONTACTS & row["support"].keys()
        marked = bare.query(
            "SELECT legacy_key FROM remoteiq_etl.legacy_organization_settings_map WHERE legacy_table = 'seed'"
        )
        keys = [f"{name}.{key}" for name in ("branding", "localization", "support") for key in row[name]]
        assert sorted(key for (key,) in marked) == sorted(keys)

    def test_a_table_with_a_row_is_not_filled_up(self, bare: Migration) -> None:
        bare.legacy.execute("INSERT INTO branding_settings (id, primary_color) VALUES (1, '#000000')")
        bare.run(*SETTINGS)
        assert self.row(bare)["branding"] == {"primaryColor": "#000000"}
        assert self.row(bare)["localization"]["language"] == "en-US"

    def test_a_row_that_comes_later_replaces_the_seeds_of_its_table(self, bare: Migration) -> None:
        bare.first_run(*SETTINGS)
        bare.legacy.execute("INSERT INTO localization_settings (id, language) VALUES (1, 'de-DE')")
        bare.run(*SETTINGS)
        assert self.row(bare)["localization"]["language"] == "de-DE"

    def test_a_row_that_goes_leaves_no_seeds(self, bare: Migration) -> None:
        bare.legacy.execute("INSERT INTO localization_settings (id, language) VALUES (1, 'de-DE')")
        bare.run(*SETTINGS)
        bare.legacy.execute("DELETE FROM localization_settings")
        bare.run(*SETTINGS)
        assert self.row(bare)["localization"] == {}

    def test_a_removed_key_stays_removed(self, bare: Migration) -> None:
        bare.first_run(*SETTINGS)
        bare.target.execute("UPDATE organization_settings SET localization = '{}'")
        bare.run(*SETTINGS)
        assert self.row(bare)["localization"] == {}

    def test_a_row_of_the_application_gets_no_seeds(self, bare: Migration) -> None:
        bare.first_run("organizations")
        bare.target.execute("INSERT INTO organization_settings (organization_id) SELECT id FROM organizations")
        for _ in range(2):
            bare.run(*SETTINGS)
            assert self.row(bare)["localization"] == {}


class TestAudits:
    """One row per settings type whenever a write of ours changes it."""

    QUERY = "SELECT settings_type, previous, next FROM organization_setting_audits ORDER BY created_at, settings_type"

    @pytest.fixture
    def first(self, bare: Migration) -> Migration:
        bare.legacy.execute("INSERT INTO localization_settings (id, language) VALUES (1, 'de-DE')")
        bare.legacy.execute("INSERT INTO branding_settings (id, primary_color) VALUES (1, '#000000')")
        bare.run(*SETTINGS)
        return bare

    @staticmethod
    def rows(migration: Migration) -> list[tuple[Any, ...]]:
        return migration.query(TestAudits.QUERY)

    def test_the_first_load_and_its_seeds(self, first: Migration) -> None:
        """Where there was no row, an empty setting is no change."""
        row = TestSettings.row(first)
        wanted = [(name, None, row[name]) for name in ("branding", "localization", "support")]
        assert self.rows(first) == wanted
        times = "SELECT DISTINCT a.created_at = r.started_at, changed_by FROM organization_setting_audits a, remoteiq_etl.runs r"
        assert first.query(times) == [(True, None)]

    def test_a_run_without_change_adds_nothing(self, first: Migration) -> None:
        before = first.versions()
        first.run(*SETTINGS)
        assert first.versions() == before

    def test_only_what_changed_has_a_row(self, first: Migration) -> None:
        first.legacy.execute("UPDATE branding_settings SET primary_color = '#ffffff'")
        first.run(*SETTINGS)
        first.legacy.execute("UPDATE branding_settings SET primary_color = '#cccccc'")
        first.run(*SETTINGS)
        colors = ["#000000", "#ffffff", "#cccccc"]
        changes = [
            ("branding", {"primaryColor": before}, {"primaryColor": after}) for before, after in pairwise(colors)
        ]
        assert self.rows(first)[3:] == changes
        assert first.query("SELECT count(DISTINCT created_at) FROM organization_setting_audits") == [(3,)]

    def test_a_change_of_people_is_not_ours(self, first: Migration) -> None:
        first.target.execute("""UPDATE organization_settings SET branding = '{"primaryColor": "red"}'""")
        first.legacy.execute("UPDATE localization_settings SET language = 'fr-FR'")
        first.run(*SETTINGS)
        assert len(self.rows(first)) == 3

    def test_a_run_that_ended_before_the_audit_is_audited_by_the_next(self, first: Migration) -> None:
        first.legacy.execute("UPDATE branding_settings SET primary_color = '#ffffff'")
        first.run("organization_settings")
        first.legacy.execute("UPDATE branding_settings SET primary_color = '#cccccc'")
        first.run("organization_settings")
        first.run("organization_setting_audits")
        assert [row[2]["primaryColor"] for row in self.rows(first) if row[0] == "branding"] == [
            "#000000",
            "#ffffff",
            "#cccccc",
        ]

    def test_a_deleted_audit_is_not_written_again(self, first: Migration) -> None:
        first.target.execute("DELETE FROM organization_setting_audits WHERE settings_type = 'branding'")
        first.run(*SETTINGS)
        assert [row[0] for row in self.rows(first)] == ["localization", "support"]

    def test_an_adopted_row_shows_what_was_filled(self, bare: Migration) -> None:
        bare.first_run("organizations")
        bare.target.execute(
            """INSERT INTO organization_settings (organization_id, branding) SELECT id, '{"customCss": "a"}' FROM organizations"""
        )
        bare.legacy.execute("INSERT INTO branding_settings (id, primary_color) VALUES (1, '#000000')")
        bare.run(*SETTINGS)
        assert self.rows(bare) == [("branding", {"customCss": "a"}, {"customCss": "a", "primaryColor": "#000000"})]

    def test_no_secret_reaches_the_trail(self, bare: Migration) -> None:
        bare.legacy.execute(
            "INSERT INTO backups_config (id, schedule, destination, notifications)"
            """ VALUES ('singleton', 'daily', '{}', '{"webhookToken": "invented", "email": true}')"""
        )
        bare.run(*SETTINGS)
        assert [row[2] for row in self.rows(bare) if row[0] == "notifications"] == [
            {"backups": {"webhookToken": "[redacted]", "email": True}}
        ]


def test_seeds_alone_leave_what_waits_of_their_table(server: Server, edge_db: Database) -> None:
    """A table that was not read releases nothing."""
    target = bare_target(server)
    migration = Migration.of(edge_db, target)
    migration.first_run("organizations", "seed_permissions", "permissions", "roles", "role_permissions")
    query = "SELECT count(*) FROM remoteiq_etl.held WHERE table_name = 'roles' AND released_run IS NULL"
    before = migration.query(query)
    assert before != [(0,)]
    migration.run("seed_roles", "seed_role_permissions")
    assert migration.query(query) == before
    target.drop()


def test_a_plan_counts_the_audits_of_what_it_would_write(bare: Migration) -> None:
    """Into a target without the tables as into one that has them, and of a change as of the first load."""
    for change, count in (("", 3), ("INSERT INTO branding_settings (id, primary_color) VALUES (1, '#000000')", 1)):
        bare.legacy.execute(change or "SELECT")
        plan = bare.run(*SETTINGS, planning=True)["organization_setting_audits"]
        run = bare.run(*SETTINGS)["organization_setting_audits"]
        assert (plan.total(Ledger.INSERTED), run.total(Ledger.INSERTED)) == (count, count)
        assert plan.total(Ledger.UNCHANGED) == run.total(Ledger.UNCHANGED)
