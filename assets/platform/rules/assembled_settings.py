"""The settings of the organization as they are assembled from the rows that the legacy application reads.

Belongs here: which row of each table is read, the four JSON objects made of them, and their times. Does not belong here: the
keys of the objects (see settings_paths), seeds, and the row that is written (see organization_settings).
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from assets.platform.rules.settings_paths import BRANDING, LOCALIZATION, section, support
from assets.platform.rules.singletons import Row, first_row, highest_row
from remoteiq_etl.frames import json_text


def used_rows(inputs: Mapping[str, pd.DataFrame]) -> dict[str, Row | None]:
    """The row of each table that the legacy application reads."""
    first = ("localization_settings", "support_legal", "support_legal_settings", "company_profile")
    return {
        "branding_settings": highest_row(inputs["branding_settings"]),
        "backups_config": first_row(inputs["backups_config"], "singleton"),
        **{table: first_row(inputs[table]) for table in first},
    }


def assembled(used: Mapping[str, Row | None]) -> dict[str, dict[str, Any]]:
    """The four JSON objects of the target row."""
    backups = used["backups_config"]
    notifications = (
        {} if backups is None else {"backups": json_text.as_object(json_text.parse(backups["notifications"]))}
    )
    return {
        "branding": section(used["branding_settings"], BRANDING),
        "localization": section(used["localization_settings"], LOCALIZATION),
        "support": support(used["support_legal"], used["support_legal_settings"], used["company_profile"]),
        "notifications": notifications,
    }


def times(used: Mapping[str, Row | None]) -> tuple[int | None, int | None]:
    """created_at is branding's, updated_at the latest known, in microseconds; None where no table knows one."""
    branding, legal = used["branding_settings"] or {}, used["support_legal_settings"] or {}
    created = branding.get("created_at")
    known = [time for time in (created, branding.get("updated_at"), legal.get("updated_at")) if time is not None]
    return min(known, default=None) if created is None else created, max(known, default=None)
