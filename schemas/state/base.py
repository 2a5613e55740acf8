"""The metadata of the state schema and its version."""

from sqlalchemy import MetaData

from schemas.columns import NAMES

#: Raised with every change of these tables; a newer program upgrades the schema, an older one refuses it.
SCHEMA_VERSION = 19

#: What columns that many tables have say in the catalogue.
SOURCE = "legacy database: sources.id"
LEGACY_TABLE = "legacy table; where a row has none, the name of what it was made from (derived, seed, device_text, …)"
LEGACY_KEY = "legacy key as text; of several columns a JSON array of their texts"

metadata = MetaData(schema="state", naming_convention=NAMES)
"""`state` is a token, not a schema: `schema_translate_map` replaces it by the real name."""
