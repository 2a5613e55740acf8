"""The legacy schema as the running application has it: 35 tables in 8 domains, read and never written.

Belongs here: one module per domain. Every module of this package is imported, and each of its tables is an attribute
of the package (`legacy.check_runs`), so a new table needs no entry elsewhere.
"""

from sqlalchemy import Table

from schemas.discover import import_modules
from schemas.legacy.base import metadata

__all__ = ["metadata"]

import_modules(__name__, __path__)


def __getattr__(name: str) -> Table:
    """Return the legacy table of that name."""
    try:
        return metadata.tables[f"{metadata.schema}.{name}"]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no table {name!r}") from None
