"""Software found by an agent: one row per legacy agent_software row.

Known faults of the data, with their share of generated rows: install_date is text in seven readable formats (95 %), null or
blank (2 %), unreadable (2 %: words, the 32nd of a month, the 30th of February) or outside 1970–2100 (0.7 %).
"""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import String, cast, not_, select

from assets.inventory.rules.install_dates import formats_of, parse_install_dates
from remoteiq_etl.frames.dtypes import TEXT, TIMESTAMP, by_distinct, to_arrow
from remoteiq_etl.frames.text import is_blank
from remoteiq_etl.frames.times import microseconds
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.spec.times import carried, earliest, filled, first_of
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target

SOFTWARE = legacy.agent_software.c
FORMATS = "agent_software.install_date"
"""The name under which the formats of the text are counted."""


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """When each agent was made: software whose time is missing, because it cannot be carried, takes that of its agent."""
    agents = inputs["agents"]
    made = first_of(agents["created_at"], earliest(agents["updated_at"], agents["last_seen_at"]))
    keys, times = to_arrow(agents["id"]).to_pylist(), microseconds(made)
    return Decided(prepared={"agent_created_at": dict(zip(keys, times, strict=True))})


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy row becomes one row of the same agent; a date that cannot be read is archived as text."""
    batch["id"] = context.derive_many("agent_software", "agent_software", batch.keys)
    batch["agent_id"] = batch.parent("agent_id", context.lookup("agents"), "agents")
    batch.carry("name", "publisher", "version")
    batch["install_date"] = install_dates(batch)
    batch["updated_at"] = _updated_at(batch, context)
    batch["created_at"] = batch.columns["updated_at"]
    return batch


def _updated_at(batch: Batch, context: Context) -> pd.Series:
    updated = batch["updated_at"]
    if updated.notna().all():
        return updated
    agents = by_distinct(batch["agent_id"].astype(TEXT), context.prepared["agent_created_at"].get, TIMESTAMP)
    return filled(batch, updated, "updated_at", agents)


def install_dates(batch: Batch) -> pd.Series:
    """The install date in UTC; what cannot be read, or lies outside 1970–2100, is null, archived and counted."""
    text = batch["install_date"]
    batch.count_values(FORMATS, formats_of(text))
    dates = parse_install_dates(text)
    unreadable = dates.isna() & ~is_blank(text)
    batch.keep(unreadable, "install_date", "unreadable_date")
    batch.warn(unreadable, "unreadable_date")
    return dates


SPEC = TableSpec(
    target=target.agent_software,
    grain="one row per software entry that an agent reported",
    sources=(Source(legacy.agent_software, transform),),
    decide=Decide(
        reads={
            # Of all agents the times change with every check-in, and with them all software would have to be read again.
            "agents": select(
                cast(legacy.agents.c.id, String).label("id"),
                *(legacy.agents.c[name] for name in ("created_at", "updated_at", "last_seen_at")),
            ).where(legacy.agents.c.id.in_(select(SOFTWARE.agent_id).where(not_(carried(SOFTWARE.updated_at)))))
        },
        function=decide,
    ),
    lookups=(("agents", "agents"),),
    log_like=True,
    unmanaged_by="agent_id",  # the application replaces an agent's inventory at each submit
    insert_only=("created_at",),
    lineage={
        "created_at": ("agent_software.updated_at", "agents.created_at"),
        "updated_at": ("agents.created_at",),
    },
    legacy_reads=(legacy.agents,),
    rules={
        "install_location": "legacy kept none",
        "install_date": "parsed as UTC; unreadable text is null and archived",
        "uninstall_command": "legacy kept none",
        "created_at": "updated_at, at the insert only",
        "updated_at": "unchanged; a missing time is created_at of the agent",
    },
)
