"""The key by which the new application recognises an assignment of a device: no two of one device may have the same.

Belongs here: that key, and which of several assignments stands for the others. Does not belong here: columns of assignments
(see check_assignments).
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from sqlalchemy import Select, select

from assets.inventory.rules.maps import DEVICE_OF_TEXT
from assets.shared.winners import GROUP, Winners, decide_winners
from remoteiq_etl.frames.dtypes import TEXT, by_distinct
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.frames.text import is_blank
from remoteiq_etl.spec.batch import KEY
from remoteiq_etl.spec.decisions import StoredDecisions
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy

DEDUPED = "check_assignments.dedupe_key"
COLUMNS = ("id", "device_id", "dedupe_key", "check_type", "check_name", "created_at")
READS: Mapping[str, Select[Any]] = {"deduped": select(*(legacy.check_assignments.c[name] for name in COLUMNS))}


def dedupe_keys(keys: pd.Series, types: pd.Series, names: pd.Series) -> pd.Series:
    """The key of each assignment: its own, where blank what the application computes of type and name."""
    kinds, named = (by_distinct(texts.astype(TEXT), str.lower, null="") for texts in (types, names))
    computed = kinds + "|" + named
    return keys.astype(TEXT).where(~is_blank(keys), computed)


def with_rows(losers: Mapping[str, str], context: Context) -> frozenset[str]:
    """Those that an earlier run gave a row of their own: it stays, and has its key with its id behind it."""
    keys = pd.Series(list(losers), dtype=TEXT)
    own, its = (context.lookup("check_assignments").find(one) for one in (keys, keys.map(losers.get).astype(TEXT)))
    return frozenset(keys[own.notna() & (own != its).fillna(True)])


def deduped(assignments: pd.DataFrame, recorded: StoredDecisions, context: Context) -> Winners:
    """The assignment that stands for all of one device and key: the oldest, ties by id."""
    rows = assignments.sort_values(["created_at", "id"]).reset_index(drop=True)
    devices = context.lookup(*DEVICE_OF_TEXT).find(rows["device_id"].astype(TEXT))
    keys = dedupe_keys(rows["dedupe_key"], rows["check_type"], rows["check_name"])
    several = pd.DataFrame({"device": devices, "key": keys}).duplicated(keep=False) & devices.notna()
    groups = [key_text(pair) for pair in zip(devices[several], keys[several], strict=True)]
    members = pd.DataFrame({KEY: rows.loc[several, "id"].to_list(), GROUP: pd.Series(groups, dtype=TEXT)})
    return decide_winners(members, recorded, DEDUPED, "oldest")
