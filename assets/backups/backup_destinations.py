"""Where backups go: one row, of the destination in the legacy backup configuration.

Known faults of the data: a destination that is no object (1 of the 2 rows of the edge cases, the one not in use), or does not
say of what kind it is.
"""

import re
from typing import Any

from assets.backups.rules import config_row
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import BOOLEAN, by_distinct
from remoteiq_etl.frames.text import normalise, tidy
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decide
from remoteiq_etl.spec.table import Adoption, Source, TableSpec
from remoteiq_etl.spec.transform_context import ORGANIZATION, Context
from schemas import legacy, target

NAME = "Default Backup Destination"
PROVIDERS = {"remote": "sftp"}
"""The kinds whose provider has another name, normalised."""

_ABSOLUTE = re.compile(r"/|\\\\|[A-Za-z]:[\\/]")


def transform(batch: Batch, context: Context) -> Batch:
    """One row of the configuration in use; without a kind or an absolute path there is none."""
    config_row.leave_others(batch, context)
    batch["id"] = context.derive_many("backup_destinations", "backups_config", batch.keys)
    batch["organization_id"] = context.organization_id
    batch["name"] = NAME
    found = by_distinct(batch["destination"], _configuration_text)
    batch.quarantine(
        found.isna(), "destination_without_kind", "destination", detail="neither a kind nor an absolute path"
    )
    batch["provider"] = by_distinct(found, lambda text: provider(json_text.parse(text)["kind"]))
    batch["configuration"] = found
    connected = by_distinct(
        found, lambda text: json_text.parse(text).get("connectionId") is not None, BOOLEAN, null=False
    )
    batch.warn(connected & batch.is_open(), "destination_connection_missing")
    return batch


def provider(kind: str) -> str:
    """The provider of a kind."""
    return PROVIDERS.get(normalise(kind) or "", kind)


def configuration(destination: Any) -> dict[str, Any] | None:  # any JSON
    """The whole destination with its kind, without which the worker fails; local for an absolute path, else None."""
    value = json_text.as_object(destination)
    if isinstance(value.get("kind"), str) and tidy(value["kind"]):
        return value
    if isinstance(destination, str):
        value["path"] = destination
    path = value.get("path")
    if isinstance(path, str) and _ABSOLUTE.match(path):
        return json_text.with_added(value, {"kind": "local"})
    return None


def _configuration_text(text: str) -> str | None:
    found = configuration(json_text.parse(text))
    return None if found is None else json_text.dumps(found)


SPEC = TableSpec(
    target=target.backup_destinations,
    grain="one row for the destination of the legacy backup configuration",
    sources=(Source(legacy.backups_config, transform, primary=False),),
    decide=Decide(reads=config_row.READS, function=config_row.decide),
    lookups=(ORGANIZATION,),
    adopt=Adoption(columns=("organization_id", "name")),
    lineage={
        "provider": ("backups_config.destination",),
        "configuration": ("backups_config.destination",),
    },
    rules={
        "name": "always Default Backup Destination",
        "provider": "the kind; remote is sftp",
        "configuration": "the whole object, kind included",
    },
)
