"""What a version of the new application needs of its database beyond the redesign: one profile for each version.

Belongs here: profiles, as pure declarations. Does not belong here: how one is installed (`remoteiq_etl.lifecycle.application`).
"""

from schemas.application.model import Profile
from schemas.application.present import PRESENT

__all__ = ["PROFILES", "Profile"]

PROFILES = {one.name: one for one in (PRESENT,)}
"""Every profile by its name."""
