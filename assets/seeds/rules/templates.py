"""Templates to start from, as data: checks, the profile that bundles them, a backup policy. All are switched off."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assets.shared.seed import key_of


@dataclass(frozen=True)
class CheckTemplate:
    """A check that nothing is assigned to."""

    name: str
    type: str
    description: str
    config: Mapping[str, Any] = field(default_factory=dict)


SCHEDULE = "@every 300s"

CHECKS: Mapping[str, CheckTemplate] = {
    key_of(check.name): check
    for check in (
        CheckTemplate("Template: CPU", "metric", "Processor load", {"metric": "cpu"}),
        CheckTemplate("Template: Memory", "metric", "Memory in use", {"metric": "memory"}),
        CheckTemplate("Template: Disk", "metric", "Disk space in use", {"metric": "disk"}),
        CheckTemplate("Template: Ping", "ping", "Whether a host answers"),
    )
}
"""The checks by the key of their seed."""

PROFILE = "Template: Baseline"
PROFILE_DESCRIPTION = "The checks that every device should have"

POLICY = "Template: Daily backup"
POLICY_DESCRIPTION = "A backup a day, kept for thirty days"
POLICY_SCHEDULE = "daily"
POLICY_RETENTION: Mapping[str, Any] = {"days": 30}

OFF: Mapping[str, Any] = {"enabled": False}
