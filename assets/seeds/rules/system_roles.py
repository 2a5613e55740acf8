"""The system roles of the new application, as data: names and grants. Writing them does not belong here."""

from collections.abc import Mapping
from dataclasses import dataclass

from assets.access.rules.permission_catalogue import PERMISSIONS
from assets.shared.seed import key_of


@dataclass(frozen=True)
class SystemRole:
    """One role that all organizations share, and the permissions that it grants."""

    name: str
    description: str
    grants: tuple[str, ...]


def _without(*left_out: str) -> tuple[str, ...]:
    return tuple(key for key in PERMISSIONS if key not in left_out)


def _of_groups(*groups: str) -> tuple[str, ...]:
    return tuple(key for key in PERMISSIONS if key.split(".")[0] in groups)


_READING = tuple(key for key in PERMISSIONS if key.endswith(".read"))

SYSTEM_ROLES: Mapping[str, SystemRole] = {
    key_of(role.name): role
    for role in (
        SystemRole("Owner", "Everything", _without()),
        SystemRole(
            "Administrator", "Everything but deleting roles and billing", _without("roles.delete", "billing.write")
        ),
        SystemRole(
            "Technician",
            "Devices, agents, checks and tickets",
            (*_of_groups("devices", "agents", "checks", "tickets"), "customers.read", "backups.read", "backups.run"),
        ),
        SystemRole("ReadOnly", "Looking without changing", (*_READING, "agents.view", "checks.view")),
    )
}
"""The roles by the key of their seed."""
