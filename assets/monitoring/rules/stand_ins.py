"""Runs without an assignment: which assignment of their device stands in for it.

The only one that the device has; else one of a synthesized check `Unattributed`. Belongs here: that, per device.
Does not belong here: the rows it leads to (see checks and check_assignments), the runs (see check_runs).
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pandas as pd
from sqlalchemy import Select, String, and_, cast, func, select

from assets.inventory.rules.maps import DEVICE_OF_TEXT
from remoteiq_etl.frames.dtypes import TEXT, to_arrow
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy

_RUNS, _ASSIGNMENTS = legacy.check_runs, legacy.check_assignments

READS: dict[str, Select[Any]] = {
    "orphans": select(_RUNS.c.device_id)
    .distinct()
    .select_from(_RUNS.outerjoin(_ASSIGNMENTS, and_(_RUNS.c.assignment_id == _ASSIGNMENTS.c.id)))
    .where(_ASSIGNMENTS.c.id.is_(None)),
    "assigned": select(
        _ASSIGNMENTS.c.device_id,
        func.array_agg(cast(_ASSIGNMENTS.c.id, String)).label("ids"),
    ).group_by(_ASSIGNMENTS.c.device_id),
}
"""The device texts of runs whose assignment is null or unknown, and the assignments of each device text."""


def stand_ins(
    inputs: Mapping[str, pd.DataFrame], recorded: Mapping[str, Mapping[str, Any]], context: Context
) -> dict[str, str | None]:
    """For each device (new id) with such runs the legacy id of the assignment that stands in; None: `Unattributed`."""
    orphans = sorted(set(_devices(inputs["orphans"], context).dropna()))
    assigned = _assigned(inputs["assigned"], context)
    return {device: _stand_in(assigned[device], recorded.get(device)) for device in orphans}


def _stand_in(assigned: list[str], earlier: Mapping[str, Any] | None) -> str | None:
    """The recorded choice, unless its assignment is gone; else the only assignment."""
    if earlier is not None and earlier.get("assignment") in (None, *assigned):
        return earlier.get("assignment")
    return assigned[0] if len(assigned) == 1 else None


def _assigned(rows: pd.DataFrame, context: Context) -> dict[str, list[str]]:
    """The assignments of each device, under whichever text."""
    found: dict[str, list[str]] = defaultdict(list)
    for device, ids in zip(
        *(to_arrow(column).to_pylist() for column in (_devices(rows, context), rows["ids"])), strict=True
    ):
        if device is not None:
            found[device].extend(ids)
    return found


def _devices(rows: pd.DataFrame, context: Context) -> pd.Series:
    return context.lookup(*DEVICE_OF_TEXT).find(rows["device_id"].astype(TEXT))
