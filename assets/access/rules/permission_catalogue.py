"""The permission catalogue of the new application, as data: keys, labels, groups. Writing them does not belong here."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class SeedPermission:
    """One permission that the new application knows."""

    key: str
    label: str
    group_key: str
    group_label: str


# Group → key → label, in the order in which the application shows them.
_GROUPS: Mapping[str, Mapping[str, str]] = {
    "administration": {"admin.access": "Access administration"},
    "users": {
        "users.read": "View users",
        "users.write": "Edit users",
        "users.delete": "Delete users",
        "users.2fa.reset": "Reset two-factor authentication",
        "users.manage": "Manage users",
    },
    "roles": {"roles.read": "View roles", "roles.write": "Edit roles", "roles.delete": "Delete roles"},
    "teams": {"teams.read": "View teams", "teams.write": "Edit teams", "teams.delete": "Delete teams"},
    "billing": {"billing.read": "View billing", "billing.write": "Edit billing"},
    "settings": {"settings.read": "View settings", "settings.write": "Edit settings"},
    "backups": {
        "backups.read": "View backups",
        "backups.run": "Run backups",
        "backups.prune": "Prune backups",
        "backups.manage": "Manage backups",
        "backups.restore": "Restore backups",
        "backups.download": "Download backups",
    },
    "agents": {"agents.view": "View agents", "agents.manage": "Manage agents"},
    "checks": {"checks.view": "View checks", "checks.run": "Run checks", "checks.manage": "Manage checks"},
    "tickets": {"tickets.read": "View tickets", "tickets.write": "Edit tickets"},
    "customers": {"customers.read": "View customers", "customers.write": "Edit customers"},
    "devices": {"devices.read": "View devices", "devices.write": "Edit devices"},
}

PERMISSIONS: Mapping[str, SeedPermission] = {
    key: SeedPermission(key, label, group, group.capitalize())
    for group, labels in _GROUPS.items()
    for key, label in labels.items()
}
"""The catalogue by key."""
