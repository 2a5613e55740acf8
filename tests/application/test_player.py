"""A migrated target beside a working application: runs, verification and undo take what it wrote for what it is."""

import pytest

from remoteiq_etl.errors import UndoBlocked
from remoteiq_etl.lifecycle.undo.execute import execute
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import FindingKind, Label
from tests.application.player import Player
from tests.application.target import install, place
from tests.support.migrating import Migration
from tests.support.undoing import EVERYTHING, place_of, planned

OWN_KEYS = ("me.profile", "me.sessions")


@pytest.fixture(params=["small, without the profile", "small, with the profile", "edge cases, with the profile"])
def played(request: pytest.FixtureRequest) -> tuple[Migration, bool]:
    """A target that another script made (small) or we made, after a session of the application."""
    has_profile = "with the" in request.param
    migration: Migration = request.getfixturevalue("paired" if "edge" in request.param else "pair")
    if has_profile:
        install(migration.target, granted_keys=OWN_KEYS)
    Player(migration.target, has_profile).play()
    return migration, has_profile


def test_runs_verify_and_undo_beside_a_working_application(played: tuple[Migration, bool]) -> None:
    migration, has_profile = played
    migration.legacy.execute(
        "UPDATE tickets SET title = title || '!'; UPDATE users SET phone = '555-0199';"
        " UPDATE agents SET last_seen_at = now(); UPDATE localization_settings SET currency = 'CHF'"
    )
    migration.run()
    open_ = "SELECT table_name, count(*) FROM remoteiq_etl.conflicts WHERE resolved_run IS NULL AND reason NOT LIKE 'adopt%' GROUP BY 1"
    conflicts = dict(migration.query(open_))
    assert conflicts.get("tickets") == 1
    assert set(conflicts) <= {"tickets", "organization_settings", "agents", "devices", "users"}
    verdict = verify(migration.plan)
    assert [one for table in verdict.tables for one in table.findings if one.label is Label.BUG] == []
    assert verdict.passed, verdict.incomplete
    grants = {one.table for table in verdict.tables for one in table.findings if one.kind is FindingKind.GRANT}
    assert "user_roles" in grants
    plan = planned(migration, EVERYTHING)
    holders = {str(row.holder).partition(" ")[0] for row in plan.blocked}
    assert {"ticket_activity", "sessions", "agent_software"} <= holders
    assert {"site_enrollment_keys", "check_assignments"} <= holders or not has_profile
    with pytest.raises(UndoBlocked):
        execute(place_of(migration), plan)
    if has_profile:
        _remove(migration)


def _remove(migration: Migration) -> None:
    """Our own grants go, what the application holds stays."""
    query = "SELECT count(DISTINCT role_id) FROM role_permissions WHERE permission_key = 'me.profile'"
    ((before,),) = migration.query(query)
    with place(migration.target) as application:
        done = application.remove()
    assert before > 0
    assert sum(name.startswith("grant me.profile") for name in done.gone) == before
    assert {"table jobs", "column devices.alias", "permission me.sessions"} <= done.kept.keys()
    assert "type agents.agent_uuid" in done.kept
