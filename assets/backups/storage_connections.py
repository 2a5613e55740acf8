"""Connections to storage: not part of the known legacy schema.

Should a legacy database have a table of this name, it is reported as drift.
"""

from remoteiq_etl.spec.table import TableSpec
from schemas import target

SPEC = TableSpec(
    target=target.storage_connections,
    grain="one row per connection to a storage",
    no_source="the legacy schema has no storage connections; the table stays empty",
)
