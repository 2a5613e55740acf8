"""A migration for tests: targets of both kinds, the declarations of assets/, and short ways to run and to look."""

import importlib
import pkgutil
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

import assets
from remoteiq_etl.backfill.context.plan import RunPlan
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.backfill.deletes.detect import DeletePolicy, DeletesReport
from remoteiq_etl.backfill.run import open_run
from remoteiq_etl.postgres.database import Database as EngineDatabase
from remoteiq_etl.postgres.database import Observer
from remoteiq_etl.spec.table import TableSpec
from schemas import ddl, target
from tests.support import made_once
from tests.support.schemas import each
from tests.support.server import Database, Server

T = TypeVar("T")


@cache
def specs() -> Mapping[str, TableSpec]:
    """Every declaration of assets/, by target table."""
    modules = [importlib.import_module(found.name) for found in pkgutil.walk_packages(assets.__path__, "assets.")]
    declared = [module.SPEC for module in modules if isinstance(getattr(module, "SPEC", None), TableSpec)]
    return {spec.asset: spec for spec in declared}


def with_dependencies(tables: Collection[str]) -> set[str]:
    """The assets that write these tables, and all that they read maps of."""
    found = [asset for asset, spec in specs().items() if spec.name in tables]
    for asset in found:
        found += {*specs()[asset].dependencies} - {*found}
    return set(found)


def bare_target(server: Server) -> Database:
    """A target as `prepare` leaves it for a load: keys, no foreign keys, no secondary indexes."""
    return server.clone("target_bare", lambda database: build_target(database, foreign_keys=False))


def foreign_target(server: Server) -> Database:
    """A target that has all constraints and indexes already, as the new application makes it."""
    return server.clone("target_foreign", lambda database: build_target(database, foreign_keys=True))


def migrated_target(server: Server, legacy: Database) -> "Migration":
    """A copy of a target that a copy of the edge-case database was migrated to: nobody waits for the first run."""
    migration = Migration.of(legacy, server.clone("target_migrated", lambda target: _migrate(legacy, target)))
    migration.accept_copy()
    return migration


def _migrate(legacy: Database, target: Database) -> None:
    build_target(target, foreign_keys=False)
    migration = Migration.of(legacy, target)
    migration.run()
    migration.run()  # what recalls a map that was loaded after it settles in the second


def build_target(database: Database, *, foreign_keys: bool, schema: str = "public") -> None:
    statements = [
        *ddl.extension_ddl(),
        *ddl.schema_ddl(schema),
        *ddl.create_enums(target.metadata, schema),
        *ddl.create_tables(target.metadata, schema, foreign_keys=foreign_keys, indexes=foreign_keys),
        *ddl.set_updated_at_ddl(schema),
        *each(target.metadata, schema, "trigger_ddl"),
    ]
    database.execute(";".join(statements))


@dataclass(frozen=True)
class Migration:
    """One legacy and one target database; `run` loads, `rows` looks."""

    legacy: Database
    target: Database
    plan: RunPlan

    @classmethod
    def of(cls, legacy: Database, target: Database, *, observer: Observer | None = None, **more: Any) -> "Migration":
        plan = RunPlan(
            EngineDatabase(legacy.url, "public", read_only=True, observer=observer),
            EngineDatabase(target.url, "public", observer=observer),
            specs(),
            **more,
        )
        return cls(legacy, target, plan)

    def run(self, *tables: str, **changes: Any) -> dict[str, TableReport]:
        """Load these tables (default: all)."""
        with open_run(replace(self.plan, **changes)) as run:
            return run.load_all(tables or None)

    def first_run(self, *tables: str, **changes: Any) -> dict[str, TableReport]:
        """What `run` does, copied where the same was done before to copies of the same databases (see made_once)."""
        return made_once.of(self, _run, tables, tuple(changes.items()))

    def once(self, make: Callable[..., T], *choices: Hashable) -> T:
        """What `make(self, *choices)` does and returns, copied where the same was done before (see made_once)."""
        return made_once.of(self, make, *choices)

    def on(self, legacy: Database, target: Database) -> "Migration":
        """The same migration of other databases."""
        reading, writing = (
            replace(self.plan.legacy, url=legacy.url),
            replace(self.plan.target, url=target.url),
        )
        return Migration(legacy, target, replace(self.plan, legacy=reading, target=writing))

    def accept_copy(self) -> None:
        """Let the state, if there is one, take a copy of the legacy database for the one that was read: its rows have the same ids."""
        with made_once.unused(self.legacy, self.target):
            self._accept_copy()

    def _accept_copy(self) -> None:
        with self.legacy.connect() as connection:
            oid = connection.execute("SELECT oid::text FROM pg_database WHERE datname = current_database()").fetchone()
        assert oid is not None
        if self.query("SELECT to_regclass('remoteiq_etl.assets')") == [(None,)]:
            return
        self.target.execute(
            "UPDATE remoteiq_etl.assets SET database = split_part(database, '/', 1) || '/' || split_part(database, '/', 2)"
            f" || '/{oid[0]}/' || split_part(database, '/', 4)"
        )

    def gone(self, policy: DeletePolicy, **choices: Any) -> dict[str, DeletesReport]:
        """Look for rows gone from legacy, without a load before."""
        with open_run(self.plan) as run:
            return run.deletes.look(policy, **choices)

    def rows(self, table: str) -> list[dict[str, Any]]:
        with psycopg.connect(self.target.url, row_factory=dict_row) as connection:
            return connection.execute(sql.SQL("SELECT * FROM {}").format(self.plan.target.table(table))).fetchall()

    def query(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self.target.connect() as connection:
            return connection.execute(statement.encode(), parameters or None).fetchall()

    def checksums(self, where: Callable[[str], bool] = lambda _table: True) -> dict[str, tuple[int, str]]:
        """Rows and a checksum of each table of the target, without regard to order and to defaults of now()."""
        return {table: self._checksum(table) for table in sorted(target_tables()) if where(table)}

    def _checksum(self, table: str) -> tuple[int, str]:
        columns = sql.SQL(", ").join(sql.Identifier(name) for name in lasting_columns(table))
        query = sql.SQL(
            "SELECT count(*), coalesce(md5(string_agg(md5(ROW({})::text), '' ORDER BY md5(ROW({})::text))), '') FROM {}"
        )
        with self.target.connect() as connection:
            connection.execute("SET timezone = 'UTC'")
            row = connection.execute(query.format(columns, columns, self.plan.target.table(table))).fetchone()
        assert row is not None
        return row[0], row[1]

    def versions(self) -> dict[str, set[str]]:
        """The xmin of every row of every table of the target: a row that was written again has another."""
        query = sql.SQL("SELECT xmin::text || ctid::text FROM {}")
        with self.target.connect() as connection:
            return {
                table: {row[0] for row in connection.execute(query.format(self.plan.target.table(table))).fetchall()}
                for table in sorted(target_tables())
            }


def _run(migration: Migration, tables: tuple[str, ...], changes: tuple[tuple[str, Any], ...]) -> dict[str, TableReport]:
    return migration.run(*tables, **dict(changes))


def target_tables() -> list[str]:
    return [table.name for table in target.metadata.sorted_tables]


def lasting_columns(table: str) -> list[str]:
    """The columns whose values two loads share: not those whose default is the time of the insert."""
    columns = target.metadata.tables[f"target.{table}"].columns
    return [
        column.name
        for column in columns
        if column.server_default is None or "now()" not in str(column.server_default.arg)
    ]
