"""The metadata of the state schema and its version."""

from sqlalchemy import MetaData

from schemas.columns import NAMES

#: Raised with every change of these tables; a newer program upgrades the schema, an older one refuses it.
SCHEMA_VERSION = 8

metadata = MetaData(schema="state", naming_convention=NAMES)
"""`state` is a token, not a schema: `schema_translate_map` replaces it by the real name."""
