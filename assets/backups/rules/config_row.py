"""Which row of backups_config the destination and the policy are made of.

Belongs here: the choice. Does not belong here: the rows made of it.
"""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import select

from assets.platform.rules import singletons
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decided, Decision, StoredDecisions
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy

READS = {"config": select(legacy.backups_config.c.id)}
PREFERRED = "singleton"
#: The row that the policy is made of: one entry, whose decision names it.
USED_ROW = ("backup_policies", "config")
_TABLE, _ENTRY = USED_ROW[1], "used"


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """The row `singleton`, else the first by id; once chosen it stays while it is there."""
    rows = inputs["config"]
    earlier = recorded.get(_TABLE, _ENTRY)
    if earlier is not None and earlier.values["id"] in set(rows["id"]):
        return Decided([earlier], prepared={"used": earlier.values["id"]})
    used = singletons.key_of(singletons.first_row(rows, PREFERRED))
    decisions = [] if used is None else [Decision(_TABLE, _ENTRY, "config_row", {"id": used})]
    return Decided(decisions, prepared={"used": used})


def default_policy(context: Context) -> str | None:
    """The id of the policy that is made of the used row; None where there is none."""
    used = context.lookup(*USED_ROW).decided(pd.Series([_ENTRY]), "id")
    found = context.lookup("backup_policies", "backups_config").find(used).iloc[0]
    return found if isinstance(found, str) else None


def leave_others(batch: Batch, context: Context) -> None:
    """Rows other than the used one make nothing here; they are in the target's backups_config."""
    batch.filter(~batch.keys.eq(context.prepared["used"]).fillna(False).astype(bool), "other_config_row")
