"""The jobs: which assets each of them materializes, and with which choices it starts.

Belongs here: selections, names, descriptions and tags of jobs. Does not belong here: when they start (see schedules), and
what an asset does.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

import dagster as dg

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.orchestration.assets.deletes import GONE_FROM_LEGACY
from remoteiq_etl.orchestration.assets.discovery import DeclaredTable
from remoteiq_etl.orchestration.assets.drift import ACCEPTED_DRIFT
from remoteiq_etl.orchestration.assets.target import TARGET_CONSTRAINTS, TARGET_SCHEMA
from remoteiq_etl.orchestration.assets.unchanged import UNCHANGED_TABLES
from remoteiq_etl.orchestration.assets.verification import keys_of
from remoteiq_etl.orchestration.runtime.run_options import MODE_TAG, SOURCE_TAG

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition as Job

RESYNC = "resync"
BACKFILL = "backfill"
SWEEP = "sweep"
DELETES = "deletes"
VERIFY = "verify"

_RETRIES: Mapping[str, str] = {
    "dagster/max_retries": "3",
    # From the beginning: what is done already is found unchanged, in the one snapshot that all tables must share.
    "dagster/retry_strategy": "ALL_STEPS",
}
_RESYNC = (
    "Brings every table up to date with the legacy database and completes the target: what changed since the last run, where"
    " that can be told, and everything where it cannot, as in the first run.\n\nThe run tag remoteiq/mode = full, or mode: full"
    " in the Launchpad, lets it read everything."
)
_BACKFILL = (
    "The same with every row read and compared, whatever changed since the last run. Nothing is written twice."
    "\n\nThe run tag remoteiq/mode = incremental lets it read what changed."
)
_SWEEP = (
    "Re-syncs, and compares every legacy row by key and hash with what was last read of it. What it finds beyond what was"
    " written since was missed before: found late, which must be nothing."
)
_DELETES = (
    "Looks for rows that are gone from the legacy database. What becomes of them says the setting deletes, or in the"
    " Launchpad the policy: list, or propagate."
)

_VERIFY = (
    "Compares every table of which something has moved with what the mapping makes of the legacy database: the checks named"
    " verified. It takes no lock: runs go on meanwhile."
)


def jobs(tables: Collection[DeclaredTable], source: str) -> "list[Job]":
    """All jobs over these tables, for the legacy database of this name."""
    everything = [TARGET_SCHEMA, ACCEPTED_DRIFT, *_keys(tables), TARGET_CONSTRAINTS]
    later = keys_of(tables)
    return [
        _job(RESYNC, [*everything, UNCHANGED_TABLES], _RESYNC, {SOURCE_TAG: source}, later),
        _job(BACKFILL, everything, _BACKFILL, _full(source), later),
        _job(SWEEP, everything, _SWEEP, {SOURCE_TAG: source, MODE_TAG: str(Mode.SWEEP)}, later),
        _job(DELETES, [GONE_FROM_LEGACY], _DELETES, {SOURCE_TAG: source}),
        _verify_job(tables),
        *(_domain_job(domain, tables, source) for domain in sorted({table.domain for table in tables})),
    ]


def domain_job(domain: str) -> str:
    """The name of the job of one domain."""
    return f"{BACKFILL}_{domain}"


def _verify_job(tables: Collection[DeclaredTable]) -> "Job":
    """Without the tag of the source, by which runs that would be in each other's way are told."""
    return dg.define_asset_job(
        VERIFY,
        selection=dg.AssetSelection.checks(*keys_of(tables)),
        description=_VERIFY,
        executor_def=dg.in_process_executor,
    )


def _domain_job(domain: str, tables: Collection[DeclaredTable], source: str) -> "Job":
    of_domain = [table for table in tables if table.domain == domain]
    keys = [TARGET_SCHEMA, ACCEPTED_DRIFT, *_keys(of_domain)]
    about = (
        f"Prepares the target and loads the tables of {domain}, with every row read and compared. Rows whose parents in other"
        " domains are not there yet are held, and released by a later run."
    )
    return _job(domain_job(domain), keys, about, _full(source), keys_of(of_domain))


def _job(
    name: str,
    keys: list[dg.AssetKey],
    description: str,
    tags: Mapping[str, str],
    later: Collection[dg.AssetCheckKey] = (),
) -> "Job":
    """`later`: checks of these assets that a job of their own makes."""
    selection = dg.AssetSelection.assets(*keys)
    return dg.define_asset_job(
        name,
        selection=selection - dg.AssetSelection.checks(*later) if later else selection,
        description=description,
        tags={**_RETRIES, **tags},
        executor_def=dg.in_process_executor,
    )


def _full(source: str) -> dict[str, str]:
    return {SOURCE_TAG: source, MODE_TAG: str(Mode.FULL)}


def _keys(tables: Iterable[DeclaredTable]) -> list[dg.AssetKey]:
    return [dg.AssetKey(table.name) for table in tables]
