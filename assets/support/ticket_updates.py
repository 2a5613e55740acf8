"""Updates of tickets: nothing of the kind was kept in legacy."""

from remoteiq_etl.spec.table import TableSpec
from schemas import target

SPEC = TableSpec(
    target=target.ticket_updates,
    grain="one row per update of a ticket",
    no_source="the legacy schema keeps no updates of tickets; the table stays empty",
)
