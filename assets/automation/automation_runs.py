"""Runs of automations: nothing of the kind was kept in legacy."""

from remoteiq_etl.spec.table import TableSpec
from schemas import target

SPEC = TableSpec(
    target=target.automation_runs,
    grain="one row per run of an automation",
    no_source="the legacy schema has no automations; the table stays empty",
)
