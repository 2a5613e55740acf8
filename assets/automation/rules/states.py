"""What state the work of an agent is in, in both legacy tables of it.

Belongs here: the words of types and states, and the rule that work in flight never becomes runnable. Does not belong
here: rows of any table.
"""

import pandas as pd

from remoteiq_etl.frames.dtypes import TEXT, by_distinct
from remoteiq_etl.frames.text import normalise, normalised
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.transform_context import Context
from remoteiq_etl.spec.value_map import ValueMap

TYPE = ValueMap(
    "agent_tasks.type",
    {"run_script": "script", "uninstall_software": "command", "file_op": "command"},
    carries=True,
)
STATUS = ValueMap(
    "agent_tasks.status",
    {
        "succeeded": "succeeded",
        "success": "succeeded",
        "completed": "succeeded",
        "failed": "failed",
        "error": "failed",
        "timeout": "failed",
        "cancelled": "cancelled",
        "canceled": "cancelled",
        # In flight: see final().
        "queued": "queued",
        "pending": "pending",
        "dispatched": "queued",
        "running": "running",
    },
)
RUNNABLE = frozenset({"pending", "queued", "running"})
"""Labels that the new application acts upon: it hands such tasks to live agents."""

_CONTAINED = (("patch", "update"), ("update", "update"), ("policy", "policy"))
_NEVER_STARTED = frozenset({"queued", "pending", "cancelled", "canceled"})


def types(batch: Batch, context: Context, column: str) -> pd.Series:
    """The type of each task: of the whole word, else of what it contains, else command."""
    batch.count_values(TYPE.name, batch[column])
    whole = context.extended(TYPE).apply(batch[column])
    return whole.fillna(by_distinct(batch[column], contained_type, null="command"))


def contained_type(word: str) -> str:
    """The type that a word's parts tell."""
    folded = normalise(word) or ""
    return next((label for part, label in _CONTAINED if part in folded), "command")


def statuses(batch: Batch, context: Context) -> pd.Series:
    """The label of each status word, before the rule about work in flight."""
    return batch.words_of("status", context.extended(STATUS))


def is_in_flight(labels: pd.Series) -> pd.Series:
    """Which work had not finished in legacy."""
    return labels.isin(list(RUNNABLE)).fillna(False).astype(bool)


def final(labels: pd.Series) -> pd.Series:
    """The labels as they are carried: work in flight becomes cancelled."""
    return labels.mask(is_in_flight(labels), "cancelled").astype(TEXT)


def has_started(column: pd.Series) -> pd.Series:
    """Which status words say that the work was begun; a cancelled task may never have been."""
    return ~normalised(column).isin(list(_NEVER_STARTED)).fillna(False).astype(bool)


def timed_out(column: pd.Series) -> pd.Series:
    """Which status words say that the work ran out of time."""
    return normalised(column).eq("timeout").fillna(False).astype(bool)
