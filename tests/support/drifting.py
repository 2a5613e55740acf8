"""Legacy databases that are not as expected, and migrations as settings describe them, which look before they begin."""

from typing import Any

from remoteiq_etl.backfill.context.progress import Silent
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.migration import Migration
from remoteiq_etl.postgres.database import Database as EngineDatabase
from tests.support.migrating import specs
from tests.support.server import Database

ODD = 'shoe "100%" {size} of'
"""A name that every statement must quote: spaces, quotes, a percent sign, braces."""


class Heard(Silent):
    """A listener that keeps the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warned(self, text: str) -> None:
        self.warnings.append(text)


def settled(legacy: Database, target: Database, *, reader: str | None = None, **settings: Any) -> Migration:
    """The migration of these databases; `reader`: the role that the legacy database is read as."""
    url = legacy.url_as(reader) if reader else legacy.url
    given = Settings(legacy_url=url, target_url=target.url, **settings)
    read = EngineDatabase(url, given.legacy_schema, read_only=True)
    return Migration(given, read, EngineDatabase(target.url, given.target_schema), specs())


def run(migration: Migration, *tables: str, accept: tuple[str, ...] = (), **more: Any) -> dict[str, TableReport]:
    """Run these tables (default: none, only what was accepted)."""
    with migration.run(accept_drift=accept, **more) as opened:
        return dict(opened.load_all(tables))
