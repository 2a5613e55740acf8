"""Organization settings to start from, as data: what the legacy application assumes while a settings table has no row.

Belongs here: which keys. Contacts are never invented, nor is a company. Does not belong here: writing them, which
organization_settings does, because they share its one row with what is migrated.
"""

from collections.abc import Collection, Mapping
from typing import Any

Section = Mapping[str, Any]

# Legacy table → the JSON column of the target and its keys.
DEFAULTS: Mapping[str, tuple[str, Section]] = {
    "branding_settings": ("branding", {"allowClientThemeToggle": False}),
    "localization_settings": (
        "localization",
        {
            "language": "en-US",
            "dateFormat": "MM/DD/YYYY",
            "timeFormat": "h:mm a",
            "numberFormat": "1,234.56",
            "timeZone": "UTC",
            "firstDayOfWeek": "sunday",
        },
    ),
    "support_legal_settings": ("support", {"showChatWidget": False}),
}


def seeded(without_row: Collection[str]) -> dict[str, dict[str, Any]]:
    """The seeds of each JSON column, of those tables that have no row."""
    return {column: dict(keys) for table, (column, keys) in DEFAULTS.items() if table in without_row}
