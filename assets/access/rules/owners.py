"""When the users of rows were created: the time of a row that has none of its own.

Belongs here: reading that time for the few rows that need it, and looking it up. Does not belong here: which other time of the
row comes first (see the tables).
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from sqlalchemy import Select, Table, not_, or_, select

from remoteiq_etl.frames.dtypes import TIMESTAMP
from remoteiq_etl.frames.times import microseconds
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decided, StoredDecisions
from remoteiq_etl.spec.times import carried
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy

_PREPARED = "owner_created_at"


def reads(table: Table, *times: str) -> Select[Any]:
    """The rows of a table of users' things of which one of these times is missing or not carried: id, owner_created_at."""
    lacking = [or_(table.c[name].is_(None), not_(carried(table.c[name]))) for name in times]
    return (
        select(table.c.id, legacy.users.c.created_at.label(_PREPARED))
        .join(legacy.users, legacy.users.c.id == table.c.user_id)
        .where(or_(*lacking))
    )


def prepared(rows: pd.DataFrame) -> dict[str, dict[str, int | None]]:
    """What `created_at` needs of a decide step that read such rows."""
    return {_PREPARED: dict(zip(rows["id"], microseconds(rows[_PREPARED]), strict=True))}


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """The decide step of a table that has nothing else to decide; it reads `owners`."""
    return Decided(prepared=prepared(inputs["owners"]))


def created_at(batch: Batch, context: Context) -> pd.Series:
    """When the user of each row was created; null for rows that have all their times."""
    known = context.prepared[_PREPARED]
    return pd.Series([known.get(key) for key in batch.keys], dtype=TIMESTAMP)
