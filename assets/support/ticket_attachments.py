"""Attachments of tickets: nothing of the kind was kept in legacy."""

from remoteiq_etl.spec.table import TableSpec
from schemas import target

SPEC = TableSpec(
    target=target.ticket_attachments,
    grain="one row per attachment of a ticket",
    no_source="the legacy schema keeps no attachments of tickets; the table stays empty",
)
