"""The views: as legacy's tables are, made and dropped with nothing of others, with what the new application wrote."""

import psycopg
import pytest

from remoteiq_etl.errors import ViewsError
from remoteiq_etl.inverse.inverse import inverses
from remoteiq_etl.inverse.round_trip import Reason, round_trip
from tests.inverse.conftest import opened
from tests.support.migrating import Migration

CATALOGUE = """
    SELECT c.relname, a.attname, regexp_replace(format_type(a.atttypid, a.atttypmod), '^.*[.]', '')
    FROM pg_attribute AS a
    JOIN pg_class AS c ON c.oid = a.attrelid
    WHERE c.relnamespace = '{schema}'::regnamespace AND c.relkind = '{kind}' AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum
"""
OURS = ("agent_keys", "roles_with_meta")


def test_names_types_and_order_of_columns_are_those_of_the_legacy_catalogue(shown: Migration) -> None:
    views = [row for row in shown.query(CATALOGUE.format(schema="remoteiq_legacy", kind="v")) if row[0] not in OURS]
    with shown.legacy.connect() as connection:
        tables = connection.execute(CATALOGUE.format(schema="public", kind="r")).fetchall()
    assert views == [row for row in tables if row[0] in inverses()]
    assert len(views) == 319


def test_roles_with_meta_has_what_both_tables_say(shown: Migration) -> None:
    rows = shown.query("SELECT name, description, permissions FROM remoteiq_legacy.roles_with_meta ORDER BY name, id")
    assert len(rows) == 10
    assert [row[2] for row in rows if row[0] == "Technician"] == [
        ["devices.read", " Tickets.Write ", "", "reports.export", "superuser"]
    ]


LOOKED_UP = {
    "users": "id = 'c5000000-0000-4000-8000-000000000001'",
    "sessions": "id = '5e000001-0000-4000-8000-000000000000'",
    "devices": "id = 'd0000001-0000-4000-8000-000000000000'",
    "agents": "id = 12",
    "agent_software": "id = 14",
    "jobs": "id = '1b000001-0000-4000-8000-000000000000'",
    "checks": "id = 'cc000001-0000-4000-8000-000000000000'",
    "check_assignments": "id = 'ca000001-0000-4000-8000-000000000000'",
    "check_runs": "id = 'cb000001-0000-4000-8000-000000000000'",
    "tickets": "id = '7c000001-0000-4000-8000-000000000000'",
    "imap_ingested": "id = 1",
    "backup_jobs": "id = 'b0000001-0000-4000-8000-000000000000'",
}


@pytest.mark.parametrize(("table", "key"), LOOKED_UP.items(), ids=LOOKED_UP)
def test_a_look_up_by_key_can_use_indexes_alone(shown: Migration, table: str, key: str) -> None:
    """A few rows are read whole whatever there is, so reading them whole is made dear: what has no index shows."""
    with shown.target.connect() as connection:
        connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        assert len(connection.execute(f"SELECT * FROM remoteiq_legacy.{table} WHERE {key}").fetchall()) == 1
        plan = connection.execute(f"EXPLAIN SELECT * FROM remoteiq_legacy.{table} WHERE {key}").fetchall()
    scans = [row[0].strip() for row in plan if "Seq Scan on" in row[0]]
    assert [scan for scan in scans if "sources" not in scan] == []


NEW = """
INSERT INTO users (id, organization_id, email, password_hash, first_name, last_name, status)
    SELECT '11111111-1111-4111-8111-111111111111', id, 'new@example.com', 'x', 'New', 'User', 'active' FROM organizations;
INSERT INTO devices (id, site_id, hostname) SELECT '22222222-2222-4222-8222-222222222222', id, 'NEW-1' FROM sites LIMIT 1;
INSERT INTO agents (id, device_id, agent_uuid, version)
    VALUES ('33333333-3333-4333-8333-333333333333', '22222222-2222-4222-8222-222222222222', gen_random_uuid(), '9');
INSERT INTO agent_tasks (id, agent_id, type, payload, status)
    VALUES ('44444444-4444-4444-8444-444444444444', '33333333-3333-4333-8333-333333333333', 'script', '{"a": 1}', 'queued');
INSERT INTO agent_software (agent_id, name) VALUES ('33333333-3333-4333-8333-333333333333', 'New Software');
INSERT INTO tickets (id, organization_id, ticket_number, subject)
    SELECT '55555555-5555-4555-8555-555555555555', id, 777777, 'New ticket' FROM organizations;
"""


def test_what_only_the_new_application_wrote_appears_and_agents_get_numbers_above_those_of_legacy(
    again: Migration,
) -> None:
    with opened(again) as views:
        views.install()
        again.target.execute(NEW)
        assert views.problems() == ["2 rows of the new application have no number yet, and are not shown"]
        assert views.install().numbered == 2
        assert (views.install().made, views.install().numbered) == ((), 0)
    numbers = "SELECT max(legacy_key::bigint) FROM remoteiq_etl.map_agents WHERE legacy_table = 'agents'"
    highest = again.query(f"{numbers} AND length(legacy_key) < 10")[0][0]
    agent = (
        "SELECT id FROM remoteiq_legacy.agents WHERE agent_uuid = (SELECT agent_uuid FROM agents WHERE version = '9')"
    )
    assert again.query(agent) == [(highest + 1,)]
    assert again.query("SELECT agent_id, payload, status FROM remoteiq_legacy.jobs WHERE id::text LIKE '4444%'") == [
        (highest + 1, {"a": 1}, "queued")
    ]
    assert again.query("SELECT name, role, suspended FROM remoteiq_legacy.users WHERE email = 'new@example.com'") == [
        ("New User", "", False)
    ]
    assert again.query("SELECT number, status FROM remoteiq_legacy.tickets WHERE title = 'New ticket'") == [
        (777777, "open")
    ]
    found = round_trip(again.plan)
    assert [(one.table, one.bugs) for one in found.tables if one.bugs] == []
    new = {one.table: one.reasons[Reason.NEW] for one in found.tables if one.reasons[Reason.NEW]}
    assert new == {"users": 1, "devices": 1, "agents": 1, "jobs": 1, "agent_software": 1, "tickets": 1}


def test_remove_takes_what_is_ours_and_leaves_the_rest(again: Migration) -> None:
    indexes = "SELECT indexname FROM pg_indexes WHERE schemaname = 'remoteiq_etl' ORDER BY 1"
    before = again.query(indexes)
    with opened(again) as views:
        views.install()
        again.target.execute("CREATE VIEW remoteiq_legacy.mine AS SELECT 1 AS one")
        assert len(views.remove()) == len(inverses()) + len(OURS)
        assert again.query("SELECT viewname FROM pg_views WHERE schemaname = 'remoteiq_legacy'") == [("mine",)]
        again.target.execute("DROP VIEW remoteiq_legacy.mine")
        views.install()
        again.target.execute("CREATE VIEW built AS SELECT id FROM remoteiq_legacy.users")
        with pytest.raises(ViewsError, match="built on views"):
            views.remove()
        again.target.execute("DROP VIEW built")
        views.remove()
    assert again.query("SELECT to_regnamespace('remoteiq_legacy')") == [(None,)]
    assert again.query(indexes) == before


@pytest.mark.parametrize("made", ["CREATE SCHEMA remoteiq_legacy", "CREATE SCHEMA remoteiq_legacy; COMMENT ON SCHEMA"
    " remoteiq_legacy IS 'x. Made by remoteiq-etl, schema'; CREATE VIEW remoteiq_legacy.users AS SELECT 1 AS one"])  # fmt: skip
def test_what_is_somebody_elses_is_not_replaced(again: Migration, made: str) -> None:
    again.target.execute(made)
    with opened(again) as views, pytest.raises(ViewsError, match="somebody else's"):
        views.install()


def test_nobody_writes_through_a_view(shown: Migration) -> None:
    rows = shown.query("SELECT relname FROM pg_class WHERE relnamespace = 'remoteiq_legacy'::regnamespace"
                       " AND relkind = 'v' AND pg_relation_is_updatable(oid, false) <> 0")  # fmt: skip
    assert rows == []


def test_a_reader_needs_no_right_but_on_the_views(shown: Migration) -> None:
    """Nor does a condition of its own see rows behind the view: what is secret and has no place is null for everybody."""
    role = shown.target.select_only_role("remoteiq_legacy")
    with shown.target.connect(role=role) as connection:
        assert connection.execute("SELECT count(*), count(totp_secret) FROM remoteiq_legacy.users").fetchone() == (
            16,
            0,
        )
        assert connection.execute("SELECT count(token_hash) FROM remoteiq_legacy.agents").fetchone() == (0,)
        for table in ("public.users", "remoteiq_etl.legacy_archive"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT FROM {table}")
