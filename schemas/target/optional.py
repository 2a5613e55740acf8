"""Columns that a running installation may have beside the redesign's: filled where they exist, archived where not.

Belongs here: their names. Their types are those of the database that has them.
"""

from collections.abc import Mapping

OPTIONAL_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "users": (
        "name",
        "phone",
        "address1",
        "address2",
        "city",
        "state",
        "postal",
        "country",
        "timezone",
        "locale",
        "avatar_url",
        "avatar_thumb_url",
    ),
    "agents": ("hostname", "token_hash", "client_id", "site_id"),
    "devices": ("client_id",),
    "tickets": ("client_id", "site_id"),
    "check_assignments": ("dedupe_key", "check_type", "check_name"),
    "check_runs": ("device_id",),
}
"""Optional columns by target table."""
