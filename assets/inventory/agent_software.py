"""Software found by an agent: one row per legacy agent_software row.

Known faults of the data: install_date is text in at least seven formats, some of them unreadable.
"""

import pandas as pd

from assets.inventory.install_dates import formats_of, parse_install_dates
from remoteiq_etl.backfill.batch import Batch
from remoteiq_etl.backfill.spec import Context, Source, TableSpec
from remoteiq_etl.backfill.text import is_blank
from schemas import legacy, target

FORMATS = "agent_software.install_date"
"""The name under which the formats of the text are counted."""


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy row becomes one row of the same agent; a date that cannot be read is archived as text."""
    batch["id"] = context.derive_many("agent_software", "agent_software", batch.keys)
    batch["agent_id"] = batch.parent("agent_id", context.lookup("agents"), "agents")
    for column in ("name", "publisher", "version", "updated_at"):
        batch[column] = batch[column]
    batch["install_date"] = install_dates(batch)
    batch["created_at"] = batch["updated_at"]
    return batch


def install_dates(batch: Batch) -> pd.Series:
    """The install date in UTC; what cannot be read, or lies outside 1970–2100, is null, archived and counted."""
    text = batch["install_date"]
    batch.count_words(FORMATS, formats_of(text))
    dates = parse_install_dates(text)
    unreadable = dates.isna() & ~is_blank(text)
    batch.keep(unreadable, "install_date", "unreadable_date")
    batch.warn(unreadable, "unreadable_date")
    return dates


SPEC = TableSpec(
    target=target.agent_software,
    grain="one row per software entry that an agent reported",
    sources=(Source(legacy.agent_software, transform),),
    lookups=(("agents", "agents"),),
    log_like=True,
    left_alone_by="agent_id",  # the application replaces an agent's inventory at each submit
    insert_only=("created_at",),
    lineage={"created_at": ("agent_software.updated_at",)},
    rules={
        "install_location": "legacy kept none",
        "install_date": "parsed as UTC; unreadable text is null and archived",
        "uninstall_command": "legacy kept none",
        "created_at": "updated_at, at the insert only",
    },
)
