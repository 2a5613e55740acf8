"""Plays the new application on a migrated target: the statements of its requests, written from what is known of them.

`profile`: the target has all that the application needs. Without it the requests that use nothing beyond the redesign are played.
"""

from dataclasses import dataclass

import psycopg

from tests.support.server import Database

_FIRST_USE = """
ALTER TABLE check_assignments ADD COLUMN IF NOT EXISTS dedupe_key text, ADD COLUMN IF NOT EXISTS check_type text,
    ADD COLUMN IF NOT EXISTS check_name text;
ALTER TABLE check_runs ADD COLUMN IF NOT EXISTS device_id text;
CREATE UNIQUE INDEX IF NOT EXISTS application_dedupe ON check_assignments (target_type, target_id, dedupe_key);
CREATE TABLE IF NOT EXISTS ticket_activity (id bigserial PRIMARY KEY, ticket_id uuid NOT NULL, kind text, at timestamptz DEFAULT now())
"""
_SETTINGS = {
    "branding_settings": ("primary_color", "#112233"),
    "localization_settings": ("language", "de-CH"),
    "company_profile": ("legal_name", "Example Holding"),
    "support_legal": ("phone_hours", "9–17"),
    "support_legal_settings": ("legal_version", "3"),
}


@dataclass(frozen=True)
class Player:
    """One session of the application."""

    target: Database
    profile: bool

    def play(self) -> None:
        """Every request once."""
        with self.target.connect() as session:
            session.execute(_FIRST_USE.encode())
            for request in (self._sign_in, self._roles, self._tickets, self._check_in, self._inventory):
                request(session)
            for request in (self._settings, self._checks, self._enrol) if self.profile else ():
                request(session)

    def _sign_in(self, session: psycopg.Connection) -> None:
        session.execute("DELETE FROM sessions WHERE revoked_at < now() - interval '30 days'")
        session.execute(
            "INSERT INTO sessions (user_id, refresh_token) SELECT id, 'example token' FROM users ORDER BY id LIMIT 1"
        )
        session.execute("UPDATE users SET last_seen_at = now() WHERE id = (SELECT id FROM users ORDER BY id LIMIT 1)")

    def _roles(self, session: psycopg.Connection) -> None:
        """At boot, and as an administrator edits roles."""
        session.execute(
            "INSERT INTO permissions (permission_key, label, group_key, group_label) VALUES ('me.sessions', 'Own sessions', 'me', 'Own')"
            " ON CONFLICT (permission_key) DO NOTHING"
        )
        session.execute(
            "INSERT INTO role_permissions (role_id, permission_key) SELECT r.id, p.permission_key FROM roles AS r, permissions AS p"
            " WHERE r.name IN ('Owner', 'Admin') ON CONFLICT DO NOTHING"
        )
        (role,) = session.execute(
            "INSERT INTO roles (organization_id, scope, name) SELECT id, 'organization', 'Night desk' FROM organizations LIMIT 1"
            " RETURNING id"
        ).fetchone() or (None,)
        session.execute("INSERT INTO role_permissions (role_id, permission_key) VALUES (%s, 'me.sessions')", [role])
        session.execute(
            "INSERT INTO user_roles (user_id, role_id) SELECT id, %s FROM users ORDER BY id DESC LIMIT 1", [role]
        )

    def _tickets(self, session: psycopg.Connection) -> None:
        (ticket,), (seen,) = session.execute("SELECT id FROM tickets ORDER BY ticket_number LIMIT 2").fetchall()
        session.execute("UPDATE tickets SET subject = 'Answered', status = 'pending' WHERE id = %s", [ticket])
        session.execute("INSERT INTO ticket_updates (ticket_id, message) VALUES (%s, 'On it')", [ticket])
        session.execute("INSERT INTO ticket_activity (ticket_id, kind) VALUES (%s, 'seen')", [seen])

    def _check_in(self, session: psycopg.Connection) -> None:
        (agent, device) = session.execute("SELECT id, device_id FROM agents ORDER BY id LIMIT 1").fetchone() or (
            None,
            None,
        )
        session.execute("UPDATE agents SET last_check_in_at = now(), version = '9.9' WHERE id = %s", [agent])
        session.execute("UPDATE devices SET status = 'online', last_seen_at = now() WHERE id = %s", [device])

    def _inventory(self, session: psycopg.Connection) -> None:
        """A submit of software replaces what the agent had."""
        (agent,) = session.execute("SELECT agent_id FROM agent_software ORDER BY agent_id LIMIT 1").fetchone() or (
            None,
        )
        session.execute("DELETE FROM agent_software WHERE agent_id = %s", [agent])
        session.execute("INSERT INTO agent_software (agent_id, name, version) VALUES (%s, 'Editor', '2')", [agent])

    def _settings(self, session: psycopg.Connection) -> None:
        for table, (column, value) in _SETTINGS.items():
            statement = f"INSERT INTO {table} (id, {column}) VALUES (1, %s) ON CONFLICT (id) DO UPDATE SET {column} = EXCLUDED.{column}"
            session.execute(statement.encode(), [value])
        session.execute(
            "INSERT INTO email_settings (purpose, enabled, smtp_host) VALUES ('reports', true, 'mail.example.com')"
            " ON CONFLICT (purpose) DO UPDATE SET enabled = EXCLUDED.enabled, smtp_host = EXCLUDED.smtp_host"
        )
        session.execute(
            "INSERT INTO dkim_settings (id, domain, selector, private_key) VALUES (1, 'example.org', 'one', 'example key')"
            " ON CONFLICT (id) DO UPDATE SET domain = EXCLUDED.domain, selector = EXCLUDED.selector, private_key = EXCLUDED.private_key"
        )

    def _checks(self, session: psycopg.Connection) -> None:
        """Two reports of one check become one assignment with two runs; words are text."""
        (device,) = session.execute("SELECT id::text FROM devices ORDER BY id LIMIT 1").fetchone() or (None,)
        for word, severity in (("WARN", "WARN"), ("OK", None)):
            (assignment,) = session.execute(
                "INSERT INTO check_assignments (device_id, dedupe_key, check_type, check_name) VALUES (%s, 'disk|c', 'DISK', 'C')"
                " ON CONFLICT (target_type, target_id, dedupe_key) DO UPDATE SET check_name = EXCLUDED.check_name RETURNING id",
                [device],
            ).fetchone() or (None,)
            session.execute(
                "INSERT INTO check_runs (assignment_id, device_id, status, severity) VALUES (%s, %s, CAST(%s AS text), CAST(%s AS text))",
                [assignment, device, word, severity],
            )

    def _enrol(self, session: psycopg.Connection) -> None:
        """A machine by a site's key, and one whose device is there already."""
        session.execute(
            "INSERT INTO site_enrollment_keys (client_id, site_id, name, token_hash)"
            " SELECT client_id, id, 'Example', 'x' FROM sites LIMIT 1"
        )
        session.execute(
            "INSERT INTO endpoint_enrollments (device_id, os, token_hash) SELECT id, 'linux', 'y' FROM devices ORDER BY id LIMIT 1"
        )
        (device,) = session.execute(
            "INSERT INTO devices (hostname, alias) VALUES ('new-pc', 'front desk') RETURNING id"
        ).fetchone() or (None,)
        session.execute(
            "INSERT INTO agents (device_id, agent_uuid, version, agent_token) VALUES (%s, 'linux-not-a-uuid', '9.9', 'example')",
            [device],
        )
        session.execute(
            "INSERT INTO jobs (agent_id, type, payload, status) SELECT id, 'PATCH_SCAN', '{}', 'queued' FROM agents ORDER BY id LIMIT 1"
        )
