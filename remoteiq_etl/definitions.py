"""The composition root: what Dagster loads. A new table needs no edit here."""

import dagster as dg

import assets
from remoteiq_etl.orchestration.build import build_definitions


@dg.definitions
def defs() -> dg.Definitions:
    """All assets, jobs and resources of this code location."""
    return build_definitions(assets)
