"""The present backend of the new application: it reads and writes these beside the redesign.

Belongs here: the parts of its profile but for the columns of further tables (see tables). Does not belong here: what the
application makes by itself at its first use (ticket_activity, imap_state and others): a table made before it would be in its way.
"""

from schemas.application import settings, tables
from schemas.application.model import (
    CastPart,
    ColumnPart,
    IndexPart,
    LabelPart,
    NullablePart,
    Part,
    Profile,
    TablePart,
    TriggerPart,
    TypePart,
)

_COLUMNS = {
    "users": (
        "name",
        "phone",
        "timezone",
        "locale",
        "avatar_url",
        "avatar_thumb_url",
        "address1",
        "address2",
        "city",
        "state",
        "postal",
        "country",
    ),
    "agents": ("hostname", "agent_token", "token", "os", "arch"),
    "devices": ("alias",),
    "check_assignments": ("dedupe_key", "check_type", "check_name", "device_id"),
    "check_runs": ("device_id",),
}

#: The application names the device alone.
_FOLLOWS_DEVICE = """
IF NEW.device_id IS NOT NULL AND NEW.target_id IS NULL THEN
    NEW.target_type := 'device';
    NEW.target_id := NEW.device_id::uuid;
END IF;
RETURN NEW;
"""

_PARTS: tuple[Part, ...] = (
    *(ColumnPart(table, column) for table, columns in _COLUMNS.items() for column in columns),
    ColumnPart("tickets", "due_at", "timestamp with time zone"),
    TypePart("agents", "agent_uuid"),
    NullablePart("check_assignments", "check_id"),
    NullablePart("check_runs", "severity"),
    LabelPart("agent_task_type", "patch_scan"),
    LabelPart("agent_task_type", "patch_install"),
    LabelPart("ticket_status", "in_progress"),
    CastPart("check_target_type"),
    CastPart(
        "check_status",
        {"OK": "passed", "WARN": "warning", "CRIT": "failed", "TIMEOUT": "failed", "UNKNOWN": "warning"},
    ),
    CastPart("check_severity", {"WARN": "medium", "CRIT": "critical"}),
    TriggerPart("check_assignments", "application_follows_device", _FOLLOWS_DEVICE),
    IndexPart("check_assignments", ("target_type", "target_id", "dedupe_key")),
    *(TablePart(table) for table in tables.metadata.sorted_tables),
    *settings.PAIRS,
)

PRESENT = Profile(
    "present",
    _PARTS,
    owned=("check_assignments", "check_runs"),
    own_requests=("the own profile", "own sessions", "own access tokens", "the own password"),
    own_keys="me.",
)
