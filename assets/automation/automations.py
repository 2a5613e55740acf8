"""Automations: nothing of the kind was kept in legacy."""

from remoteiq_etl.spec.table import TableSpec
from schemas import target

SPEC = TableSpec(
    target=target.automations,
    grain="one row per automation",
    no_source="the legacy schema has no automations; the table stays empty",
)
