"""The reporting views over the new schema: what a service desk asks first, with what every column means.

The SELECT of each stands in schemas/sql/views/. Names and columns are a promise to who queries them: new columns come last.
Belongs here: the views and their DDL. Does not belong here: making them in a database (`remoteiq_etl.lifecycle.target`).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

from psycopg import sql

_MARK = "Made by remoteiq-etl"


@dataclass(frozen=True)
class ReportView:
    """One view: its name, what it shows (the grain first), the tables that it reads, its columns and what they mean."""

    name: str
    about: str
    tables: tuple[str, ...]
    columns: Mapping[str, str]

    @cached_property
    def select(self) -> str:
        """Its SELECT, with the place of the schema open."""
        return files("schemas").joinpath("sql", "views", f"{self.name}.sql").read_text(encoding="utf-8").strip()

    @property
    def comment(self) -> str:
        """What the catalogue says of it; it ends with what tells this version of it from others."""
        parts = [self.select, self.about, *(f"{name}={text}" for name, text in self.columns.items())]
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
        return f"{self.about}. {_MARK}, {digest}"

    def ddl(self, schema: str) -> list[str]:
        """The statements that make or replace it and its comments."""
        view = sql.Identifier(schema, self.name)
        create = sql.SQL("CREATE OR REPLACE VIEW {view} AS\n{select}").format(
            view=view, select=sql.SQL(self.select).format(schema=sql.Identifier(schema))
        )
        comments = [sql.SQL("COMMENT ON VIEW {} IS {}").format(view, sql.Literal(self.comment))]
        comments += [
            sql.SQL("COMMENT ON COLUMN {} IS {}").format(sql.Identifier(schema, self.name, name), sql.Literal(text))
            for name, text in self.columns.items()
        ]
        return [statement.as_string(None) for statement in (create, *comments)]


def is_ours(comment: str | None) -> bool:
    """Whether the comment of a view says that this program made it."""
    return comment is not None and f" {_MARK}, " in comment


_CLIENT = "client of the site; null: the device has no site"
_SITE = "site of the device"

REPORTS: tuple[ReportView, ...] = (
    ReportView(
        "report_open_tickets",
        "One row per ticket that is open or pending: by client, status and age",
        ("tickets", "devices", "sites", "clients", "contacts", "users"),
        {
            "ticket_id": "tickets.id",
            "ticket_number": "number that people name it by",
            "subject": "what it is about",
            "status": "open or pending",
            "priority": "low, normal, high or urgent",
            "client_id": "clients.id, through the device and its site; null: the ticket names no device, or that has no site",
            "client": "name of that client",
            "site": "site of the device that the ticket names",
            "hostname": "device that the ticket names",
            "requester": "contact who asked",
            "assignee": "user who works on it; null: nobody",
            "created_at": "when it was opened",
            "updated_at": "when it was changed last",
            "age_days": "whole days since it was opened",
            "age": "the same as one of four groups, in their order: a day, a week, a month, older",
        },
    ),
    ReportView(
        "report_devices",
        "One row per device: by client and site, with the last contact",
        ("devices", "sites", "clients", "agents"),
        {
            "device_id": "devices.id",
            "client_id": "clients.id; null: the device has no site",
            "client": _CLIENT,
            "site_id": "sites.id",
            "site": _SITE,
            "hostname": "name of the device",
            "operating_system": "as the agent tells it",
            "architecture": "x64, arm64, x86, or as the agent tells it",
            "status": "online, offline, retired or decommissioned, as stored: last_contact_at is what is known",
            "primary_user": "who uses it",
            "agent_version": "version of its agent; null: no agent",
            "last_contact_at": "the later of the device's last sight and its agent's last check-in; null: never",
            "silent_seconds": "seconds since then",
        },
    ),
    ReportView(
        "report_failing_checks",
        "One row per check that is assigned to a device and failed, or warned, in its last run",
        ("check_assignments", "devices", "checks", "check_runs", "sites", "clients"),
        {
            "device_id": "devices.id",
            "hostname": "name of the device",
            "client": _CLIENT,
            "site": _SITE,
            "check_name": "checks.name",
            "check_type": "ping, service, process, metric or script",
            "status": "of the last run: failed or warning",
            "severity": "of the last run",
            "last_run_at": "when the last run started",
            "output": "what the last run said",
            "assignment_id": "check_assignments.id",
            "run_id": "check_runs.id of the last run",
        },
    ),
    ReportView(
        "report_backup_results",
        "One row per backup policy and day (UTC, by the start of the job): how its jobs ended",
        ("backup_jobs", "backup_policies"),
        {
            "policy_id": "backup_policies.id",
            "policy": "name of the policy",
            "day": "day on which the jobs started, in UTC; null: jobs that have not started",
            "jobs": "jobs of that day",
            "completed": "jobs that completed",
            "failed": "jobs that failed",
            "cancelled": "jobs that were cancelled",
            "unfinished": "jobs that are pending or running",
            "verified": "jobs whose result was verified",
            "bytes": "bytes that they wrote; null: none told",
            "longest_seconds": "seconds that the longest of them took",
        },
    ),
    ReportView(
        "report_software",
        "One row per publisher, program and version: on how many devices it is installed",
        ("agent_software", "agents", "devices", "sites"),
        {
            "publisher": "as the agents tell it; (unknown) where they tell none",
            "name": "name of the program",
            "version": "its version; null: not told",
            "devices": "devices that have it",
            "clients": "clients whose devices have it",
            "first_installed_at": "earliest date of installation that is told",
            "last_installed_at": "latest one",
        },
    ),
    ReportView(
        "report_permissions",
        "One row per user, role and permission: who may do what, by what is stored",
        ("users", "user_roles", "roles", "role_permissions", "permissions"),
        {
            "user_id": "users.id",
            "email": "by which the user signs in",
            "name": "of the user",
            "user_status": "active, invited or disabled: a disabled user may do nothing",
            "role_id": "roles.id",
            "role": "name of the role",
            "scope": "system or organization",
            "permission_key": "permissions.permission_key",
            "permission_group": "group of the permission",
            "permission": "the permission in words",
            "assigned_at": "when the user got the role",
            "granted_at": "when the role got the permission",
        },
    ),
)
