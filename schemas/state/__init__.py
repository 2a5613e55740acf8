"""The tables of our own schema `remoteiq_etl` in the target database: what was read, decided, written and left out.

`maps` makes the mapping table of an entity, the other modules hold the fixed ones. Belongs here: definitions and their
comments. Does not belong here: reading and writing them (see remoteiq_etl.state.schema).
"""

from schemas.discover import import_modules
from schemas.state.base import SCHEMA_VERSION, metadata
from schemas.state.maps import map_table

__all__ = ["SCHEMA_VERSION", "map_table", "metadata"]

import_modules(__name__, __path__)
