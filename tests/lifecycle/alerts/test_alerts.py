"""Which rows a run is the first to stop, as its alerts count them."""

import psycopg

from remoteiq_etl.backfill.run import open_run
from remoteiq_etl.config.alerts import AlertKind
from remoteiq_etl.lifecycle.alerts.alerts import Alert, of_failure, of_guard, of_waiting_rows
from tests.support.migrating import Migration
from tests.support.server import Database

ADA = "c5000000-0000-4000-8000-000000000001"
SAME_EMAIL = (
    f"INSERT INTO users (id, name, email) SELECT gen_random_uuid(), 'Ada', upper(email) FROM users WHERE id = '{ADA}'"
)


def alerts(migration: Migration) -> dict[AlertKind, Alert]:
    with open_run(migration.plan) as run:
        run.load_all(["organizations", "users"])
        return {alert.kind: alert for alert in of_waiting_rows(run.context)}


def test_only_what_is_new_is_an_alert_and_what_a_person_accepted_is_not_counted(
    migration: Migration, edge_db: Database
) -> None:
    first = alerts(migration)[AlertKind.QUARANTINE]
    stopped = first.counts["users"]["new"]
    assert stopped == first.counts["users"]["waiting"] > 0
    assert alerts(migration) == {}
    migration.target.execute(
        "UPDATE remoteiq_etl.quarantine SET ignored_at = now() WHERE (legacy_table, legacy_key) ="
        " (SELECT legacy_table, legacy_key FROM remoteiq_etl.quarantine ORDER BY 1, 2 LIMIT 1)"
    )
    edge_db.execute(SAME_EMAIL)
    later = alerts(migration)[AlertKind.QUARANTINE]
    assert later.counts == {"users": {"new": 1, "waiting": stopped}}
    assert later.title == f"1 more rows in quarantine, {stopped} in all"
    assert "Ada" not in later.text


def test_a_conflict_is_an_alert_until_it_is_listed(migration: Migration, edge_db: Database) -> None:
    alerts(migration)
    migration.target.execute(f"UPDATE users SET last_name = 'Target' WHERE id = '{ADA}'")
    edge_db.execute(f"UPDATE users SET name = 'Ada Legacy' WHERE id = '{ADA}'")
    found = alerts(migration)[AlertKind.CONFLICT]
    assert found.counts == {"users": {"new": 1, "waiting": 1}}
    assert found.run == 2
    assert "Target" not in found.text
    assert alerts(migration) == {}


def test_a_brake_names_the_tables_and_why() -> None:
    (alert,) = of_guard(
        "default", {"users": "users is empty", "devices": "devices has lost 90 of 100 mapped rows"}, 7, None
    )
    assert (alert.kind, alert.title) == (AlertKind.BRAKE, "the brake holds devices, users")
    assert alert.text.splitlines()[:2] == ["devices: devices has lost 90 of 100 mapped rows", "users: users is empty"]
    assert of_guard("default", {}, 7, None) == []


def test_an_error_of_somebody_else_is_told_without_its_text() -> None:
    (alert,) = of_failure("default", ValueError("a value of a row"), None, "a-dagster-run")
    assert alert.lines == ["ValueError"]
    assert "No run was opened, Dagster run a-dagster-run." in alert.text
    assert of_failure("default", KeyboardInterrupt(), 1, None) == []


def test_the_alert_about_an_error_of_a_server_says_what_to_do() -> None:
    (alert,) = of_failure("acme", psycopg.errors.DiskFull("planted"), 7, None)
    (line,) = alert.lines
    assert line.startswith("the server has no room left on its disk (SQLSTATE 53100). Free or add room there")
    assert "planted" not in alert.text
