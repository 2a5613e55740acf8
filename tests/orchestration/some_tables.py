"""Definitions of a handful of tables, so that a run takes seconds: three generations, and one without a source."""

import assets
from remoteiq_etl.orchestration.assets.discovery import find_tables
from remoteiq_etl.orchestration.build import definitions_of

TABLES = ("organizations", "permissions", "clients", "sites", "automations")

defs = definitions_of({name: table for name, table in find_tables(assets).items() if name in TABLES})
