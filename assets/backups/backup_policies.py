"""When backups are made: one row, the default policy, of the legacy backup configuration."""

from typing import Any

import pandas as pd

from assets.backups.rules import config_row
from assets.shared.json_times import iso
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import to_arrow
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decide
from remoteiq_etl.spec.run_options import CUT_OVER
from remoteiq_etl.spec.table import Adoption, Source, TableSpec
from remoteiq_etl.spec.transform_context import ORGANIZATION, Context
from remoteiq_etl.spec.value_map import ValueMap
from schemas import legacy, target

NAME = "Default Backup Policy"
DESCRIPTION = "Normalized default backups policy"

# The keyword stays: a cron text in the schedule never fires.
SCHEDULE = ValueMap(
    "backup_policies.schedule", {"hourly": "hourly", "daily": "daily", "weekly": "weekly", "cron": "cron"}
)


def transform(batch: Batch, context: Context) -> Batch:
    """One row of the configuration in use."""
    config_row.leave_others(batch, context)
    batch["id"] = context.derive_many("backup_policies", "backups_config", batch.keys)
    batch["organization_id"] = context.organization_id
    batch["name"] = NAME
    batch["description"] = DESCRIPTION
    batch["schedule"] = batch.words_of("schedule", context.extended(SCHEDULE))
    batch["retention"] = json_text.texts({"days": days} for days in _plain(batch["retention_days"]))
    batch["destination_id"] = context.lookup("backup_destinations", "backups_config").find(batch.keys)
    batch["target_type"] = "organization"
    batch["options"] = options(batch, carries_enabled=context.cut_over_at is not None)
    batch["is_default"] = True
    return batch


def options(batch: Batch, *, carries_enabled: bool) -> pd.Series:
    """The rest of the configuration; enabled from the cut-over on, so that nothing starts before."""
    columns = zip(
        _plain(batch["enabled"]),
        _plain(batch["targets"]),
        _plain(batch["cron_expr"]),
        _plain(batch["encrypt"]),
        _plain(batch["notifications"]),
        iso(batch["last_scheduled_at"]),
        strict=True,
    )
    return json_text.texts(
        json_text.without_nulls(
            {
                "enabled": enabled and carries_enabled,
                "legacyEnabled": enabled,
                "targets": json_text.parse(targets),
                "cronExpr": cron,
                "encrypt": encrypt,
                "notifications": json_text.parse(notifications),
                "lastScheduledAt": last,
            }
        )
        for enabled, targets, cron, encrypt, notifications, last in columns
    )


def _plain(column: pd.Series) -> list[Any]:
    values: list[Any] = to_arrow(column).to_pylist()
    return values


SPEC = TableSpec(
    target=target.backup_policies,
    grain="one row for the legacy backup configuration",
    sources=(Source(legacy.backups_config, transform, primary=False),),
    decide=Decide(reads=config_row.READS, function=config_row.decide),
    lookups=(ORGANIZATION, ("backup_destinations", "backups_config")),
    adopt=Adoption(columns=("organization_id", "name")),
    run_options=(CUT_OVER,),
    value_maps=(SCHEDULE,),
    lineage={
        "retention": ("backups_config.retention_days",),
        "destination_id": ("backups_config.id",),
        "options": tuple(
            f"backups_config.{column}"
            for column in ("enabled", "targets", "cron_expr", "encrypt", "notifications", "last_scheduled_at")
        ),
    },
    rules={
        "name": "always Default Backup Policy",
        "description": "always the same words",
        "retention": "the days, as {days}",
        "destination_id": "the default destination, made of the same row",
        "target_type": "always organization",
        "target_id": "none: the policy is the organization's",
        "created_by": "nobody was recorded in legacy",
        "options": "enabled (from the cut-over on), legacyEnabled, targets, cronExpr, encrypt, notifications, lastScheduledAt",
        "is_default": "always true",
    },
)
