"""Values that the program reads right and that SQL reads otherwise by itself: the expectation says the same of each."""

import pytest

from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import Finding, Label
from tests.support.migrating import Migration, with_dependencies
from tests.support.server import Database

UUID = "5b000001-0000-4000-8000-000000000000"
TABLES = (
    "clients", "sites", "contacts", "tickets", "ticket_tags", "permissions", "users", "agent_software", "backup_destinations",
    "backup_policies", "backup_job_artifacts", "email_messages", "email_channels", "checks", "role_permissions",
)  # fmt: skip
DATES = (
    "2024-03-31T10:00", "2024-03-31T1000", "2024-03-31 10:00 +00", "2024-03-31T10:0000", "2024-03-31t10:00:00,5z",
    "2024-03-31T10:00:00+0530", "2024-03-31T10:00:00+05:3000", "2024-W13-7", "2024-091", "2024-03-31T24:00", "2024-03-31T10",
    "2024-03-31T10:00:00.1234567+01", "2024-02-30", "20240230", "31/12/2024", "1711879200", "2024-03-31T10:00:00-00:00:01",
)  # fmt: skip
TICKETS = (
    ("uuid with a line end", None, "HQ", f"{UUID}\r\n", None),
    ("no-break space", "Acme\u00a0GmbH", "HQ", None, None),
    ("capital sigma", "\u039f\u0394\u039f\u03a3", "\u03a3", None, None),
    ("dotless", "\u0131s \u0130s", "I", None, None),
    ("the site of its device, without a client", None, "annex ", None, "b"),
    ("a client of its own", "Acme", "Annex", None, "b"),
    ("a site of its own", "beta", "HQ", None, "b"),
)
PLACES = (
    '{"path": "C:\\\\Backups\\\\a.zip"}', '{"path": "\\\\\\\\server\\\\share\\\\a.zip"}', '{"path": "\\u00a0"}',
    '{"path": "\\u00a0", "fileId": "x"}', '{"path": null, "bucket": "b", "key": "k"}', '{"kind": "\\u2003", "path": "/x"}',
    '{"kind": 1, "path": "/x"}', '"text"', "null", "[]",
)  # fmt: skip
SUBJECTS = (
    "[ticket:#007]",
    "[T\u0131CKET:#7]",
    "[T\u0130CKET:#7]",
    "[TICKET:#0000000000000000000000007]",
    "[TIC\u212aET:#7]",
)
HEADERS = ("T\u00f6: a@example.com\r\nTo: b@example.com\r\n\r\n", "To: b@example.com\r\nX-\u0131: x\r\n\r\n")
DESTINATIONS = (
    '{"path": "C:\\\\Backups"}', '{"path": "\\\\\\\\server\\\\share"}', '{"path": "relative"}', '"/srv"', "null",
    '{"kind": "\\u00a0", "path": "/srv"}', '{"kind": 1, "path": "/srv", "legacyValues": 2}', '{"kind": " Remote "}',
)  # fmt: skip


def _fill(legacy: Database) -> None:
    with legacy.connect() as connection:
        run = connection.execute
        for n, (title, *values) in enumerate(TICKETS, 1):
            run(
                "INSERT INTO tickets (id, number, title, client, site, customer_id, device_id, requester_email)"
                " OVERRIDING SYSTEM VALUE VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, %s, %s)",
                [n + 6, title, *values, "\u039f\u0394\u039f\u03a3@EXAMPLE.COM"],
            )
        for key, label in (("users.read", "USERS.Read"), ("\u039f\u03a3.run", "x"), ("a.b", "A.B")):
            run(
                "INSERT INTO permissions (id, key, label, group_key, group_label) VALUES (gen_random_uuid(), %s, %s, 'g', 'G')",
                [key, label],
            )
        for n, status in enumerate(("active", "invited", "suspended")):
            run(
                "INSERT INTO users (id, name, email, status, password_hash) VALUES (gen_random_uuid(), 'One', %s, %s, 'x')",
                [f"{n}\u03a3\u0391\u03a3@Example.com", status],
            )
        run("INSERT INTO agents (id, device_id, hostname, os, arch, version) VALUES (1, 'a', 'a', 'linux', 'x64', '1')")
        run(
            "INSERT INTO agents (id, device_id, hostname, os, arch, version, client, site)"
            " VALUES (2, 'b', 'b', 'linux', 'x64', '1', 'Beta', 'Annex')"
        )
        for date in DATES:
            run("INSERT INTO agent_software (agent_id, name, install_date) VALUES (1, %s, %s)", [f"s {date}", date])
        for place in PLACES:
            run(
                "INSERT INTO backup_jobs (id, status, artifact_location) VALUES (gen_random_uuid(), 'success', %s::jsonb)",
                [place],
            )
        for n, (subject, head) in enumerate((s, h) for s in SUBJECTS for h in HEADERS):
            run(
                "INSERT INTO imap_ingested (purpose, uid, subject, headers_snippet) VALUES ('alerts', %s, %s, %s)",
                [n + 1, subject, head],
            )


@pytest.fixture
def migration(legacy_db: Database, our_target: Database) -> Migration:
    _fill(legacy_db)
    return Migration.of(legacy_db, our_target)


def test_nothing_that_the_program_reads_right_is_called_a_bug(migration: Migration) -> None:
    migration.run(*with_dependencies(TABLES))
    verdict = verify(migration.plan, TABLES)
    assert {one.table: one.error for one in verdict.tables if not one.passed} == {}
    assert [_shown(one) for table in verdict.tables for one in table.findings if one.label is Label.BUG] == []


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_the_one_configuration_is_read_alike(destination: str, legacy_db: Database, our_target: Database) -> None:
    with legacy_db.connect() as connection:
        connection.execute(
            "INSERT INTO backups_config (id, schedule, destination, targets, notifications)"
            " VALUES ('singleton', 'daily', %s::jsonb, 'null', 'null')",
            [destination],
        )
    migration = Migration.of(legacy_db, our_target)
    tables = ("backup_destinations", "backup_policies")
    migration.run(*with_dependencies(tables))
    verdict = verify(migration.plan, tables)
    assert [_shown(one) for table in verdict.tables for one in table.findings if one.label is Label.BUG] == []


def test_a_site_without_client_needs_no_client_where_a_device_or_an_agent_has_one(
    legacy_db: Database, our_target: Database
) -> None:
    """An agent is where its device is, a device takes what it lacks from its agent: nobody is under Unassigned then."""
    legacy_db.execute(
        f"INSERT INTO devices (id, hostname, os, status, client, site) VALUES ('{UUID[:-1]}1', 'a', 'linux', 'online', 'Acme', 'HQ'),"
        f" ('{UUID[:-1]}2', 'b', 'linux', 'online', NULL, 'Lab');"
        " INSERT INTO agents (id, device_id, hostname, os, arch, version, client, site)"
        " VALUES (1, 'a', 'a', 'linux', 'x64', '1', NULL, 'hq'), (2, 'b', 'b', 'linux', 'x64', '1', 'Acme', NULL)"
    )
    migration = Migration.of(legacy_db, our_target)
    tables = ("clients", "sites", "devices", "agents")
    migration.run(*with_dependencies(tables))
    assert [row["name"] for row in migration.rows("clients")] == ["Acme"]
    verdict = verify(migration.plan, tables)
    assert [_shown(one) for table in verdict.tables for one in table.findings if one.label is Label.BUG] == []


def _shown(one: Finding) -> tuple[str, ...]:
    return (one.table, one.check, one.kind, f"{one.legacy_table} {one.legacy_key}", ", ".join(one.columns), one.detail)
