"""The metadata that all legacy tables belong to. Tables and enums belong in the domain modules beside this one."""

from sqlalchemy import MetaData

from schemas.columns import NAMES

metadata = MetaData(schema="legacy", naming_convention=NAMES)
"""`legacy` is a token, not a schema: `schema_translate_map` replaces it by the real name (see `schemas.ddl`)."""
