"""What all seeds have in common: their mark in the map, and when one is written at all.

A seed has a map row under the name `seed`, as if that were its legacy table, keyed by its normalised name. Belongs here:
which names are free for a seed. Does not belong here: the seeds themselves.
"""

from collections.abc import Collection, Iterable

import pandas as pd

from remoteiq_etl.frames.dtypes import to_arrow
from remoteiq_etl.frames.text import normalise
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context

SEED = "seed"
SECTION_8 = ("email_ingest_state", "email_messages", "dkim_keys")
"""The tables after which the seeds are written: everything that is migrated comes first."""


def key_of(name: str) -> str:
    """The key of a seed in the map."""
    return normalise(name) or ""


def to_write(
    names: Iterable[str], present: pd.DataFrame, context: Context, entity: str, migrated_from: Collection[str] = ()
) -> list[str]:
    """The names whose seeds are ours to write: those written before, and those that no row of the target has.

    `present`: id and name of the target's rows. `migrated_from`: the legacy tables (of the map) whose rows may have taken
    a seed's row over; such a seed is not written any more. A seed that was removed is handed on: the merge leaves it so.
    """
    seeds = context.lookup(entity, SEED)
    migrated = {key for table in migrated_from for key in new_keys(context.lookup(entity, table))}
    written = {key for key, new in entries(seeds).items() if new not in migrated} | seeds.deleted
    taken = {key_of(name) for name in to_arrow(present["name"]).to_pylist()} | set(entries(seeds))
    return [name for name in names if key_of(name) in written or key_of(name) not in taken]


def of_organization(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The rows (with the slug of their organization) of this source's organization."""
    return rows[rows["slug"] == context.organization_slug]


def entries(lookup: Lookup) -> dict[str, str]:
    """A small lookup as a dictionary."""
    return dict(zip(lookup.keys.to_pylist(), lookup.new_keys.to_pylist(), strict=True))


def new_keys(lookup: Lookup) -> set[str]:
    """The new keys of a lookup."""
    return set(lookup.new_keys.to_pylist())
