"""A small legacy installation without a fault, and a target that has all of it: for tests of what happens afterwards."""

from tests.support.migrating import Migration
from tests.support.server import Database

TABLES = (
    "organizations", "permissions", "roles", "users", "user_security", "role_permissions", "user_roles", "sessions",
    "trusted_devices", "personal_access_tokens", "clients", "sites", "devices", "agents", "agent_software",
    "agent_tasks", "agent_task_runs", "agent_task_results", "contacts", "tickets", "ticket_tags",
)  # fmt: skip
"""The tables that are loaded: those of people, of machines and their work, and of tickets."""

_ROWS = """
INSERT INTO roles (id, name, created_at) VALUES
    ('{role}1', 'Ops', '2024-01-01'), ('{role}2', 'ops ', '2024-01-02'), ('{role}3', 'Sales', '2024-01-03'),
    ('{role}4', 'Twin', '2024-01-04'), ('{role}5', 'twin ', '2024-01-05');
INSERT INTO permissions (id, key, label, group_key, group_label) VALUES ('{perm}1', 'ops.run', 'Run', 'ops', 'Ops');
INSERT INTO role_permissions (role_id, permission_id) VALUES ('{role}1', '{perm}1'), ('{role}3', '{perm}1');
INSERT INTO users (id, name, email, role, password_hash)
    SELECT ('{user}' || to_char(n, 'fm00'))::uuid, 'User ' || n, 'user' || n || '@example.com', 'Ops', 'hash' || n
    FROM generate_series(1, 20) n;
INSERT INTO sessions (id, user_id, jti)
    SELECT ('{session}' || to_char(n, 'fm00'))::uuid, ('{user}' || to_char(n, 'fm00'))::uuid,
        '{jti}' || to_char(n, 'fm00') FROM generate_series(1, 20) n;
INSERT INTO personal_tokens (id, user_id, name, token_hash)
    SELECT ('{token}' || to_char(n, 'fm00'))::uuid, ('{user}' || to_char(n, 'fm00'))::uuid, 'ci', 'digest' || n
    FROM generate_series(1, 20) n;
INSERT INTO trusted_devices (id, user_id, device_fingerprint, expires_at)
    SELECT ('{trust}' || to_char(n, 'fm00'))::uuid, ('{user}' || to_char(n, 'fm00'))::uuid, 'print' || n, now() + '30 days'
    FROM generate_series(1, 20) n;
INSERT INTO devices (id, hostname, os, status, client, site, agent_uuid)
    SELECT ('{device}' || to_char(n, 'fm00'))::uuid, 'host-' || n, 'linux', 'online', 'Acme', 'HQ',
        ('{agent}' || to_char(n, 'fm00'))::uuid FROM generate_series(1, 20) n;
INSERT INTO agents (id, device_id, hostname, os, arch, version, client, site, agent_uuid)
    SELECT n, 'text-' || n, 'host-' || n, 'linux', 'x64', '1.0', 'Acme', 'HQ', ('{agent}' || to_char(n, 'fm00'))::uuid
    FROM generate_series(1, 20) n;
INSERT INTO agents (id, device_id, hostname, os, arch, version, client, site) VALUES
    (21, 'alone', 'alone', 'linux', 'x64', '1.0', 'Solo', 'Office');
INSERT INTO agent_software (id, agent_id, name) SELECT n, n, 'tool' FROM generate_series(1, 20) n;
INSERT INTO jobs (id, agent_id, type, status, started_at, finished_at)
    SELECT ('{job}' || to_char(n, 'fm00'))::uuid, n, 'RUN_SCRIPT', 'succeeded', '2024-03-01', '2024-03-02'
    FROM generate_series(1, 20) n;
INSERT INTO job_results (job_id, exit_code, stdout)
    SELECT ('{job}' || to_char(n, 'fm00'))::uuid, 0, 'done' FROM generate_series(1, 20) n;
INSERT INTO tickets (id, number, title, client, site, requester_name, requester_email)
    OVERRIDING SYSTEM VALUE
    SELECT ('{ticket}' || to_char(n, 'fm00'))::uuid, n, 'Ticket ' || n, 'Acme', 'HQ', 'Pat ' || n, 'pat' || n || '@example.com'
    FROM generate_series(1, 60) n;
"""
_KINDS = ("role", "perm", "user", "session", "jti", "token", "trust", "device", "agent", "job", "ticket")
_DIGITS = {"role": 1, "perm": 1}


def key(kind: str, number: int) -> str:
    """The legacy uuid of one of the rows: key("user", 3)."""
    digits = 1 if kind in _DIGITS else 2
    return f"{_prefix(kind)}{number:0{digits}}"


def fill(legacy: Database) -> None:
    legacy.execute(_ROWS.format(**{kind: _prefix(kind) for kind in _KINDS}))


def migrated(legacy: Database, target: Database) -> None:
    """Fill an empty legacy database and migrate it."""
    fill(legacy)
    Migration.of(legacy, target).run(*TABLES)


def _prefix(kind: str) -> str:
    number = _KINDS.index(kind) + 1
    return f"c{number:07}-0000-4000-8000-" + "0" * (12 - (1 if kind in _DIGITS else 2))
