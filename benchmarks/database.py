"""The database that every contestant works in: legacy rows, a prepared target with the parents loaded, a way back.

Legacy and target lie in one database, because the limit is one statement. Belongs here: building it, emptying what a
round wrote, comparing results. Does not belong here: the contestants.
"""

import importlib
import pkgutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import psycopg
from psycopg import sql

import assets
from benchmarks.workloads import LEGACY_SCHEMA, SOURCE, STATE_SCHEMA, TARGET_SCHEMA, Workload
from remoteiq_etl.backfill.context.plan import RunPlan
from remoteiq_etl.backfill.run import open_run
from remoteiq_etl.fixtures.generator import generate
from remoteiq_etl.lifecycle.target.prepare import prepare
from remoteiq_etl.postgres import row_hash
from remoteiq_etl.postgres.database import Database
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.maps import ensure_map
from remoteiq_etl.state.schema import State
from schemas import ddl, legacy
from tests.support.server import Server

# The same for everybody: memory for a small server, durable commits, no checkpoint and no vacuum in the middle of a round.
SETTINGS: Mapping[str, str] = {
    "shared_buffers": "512MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "jit": "off",
    "listen_addresses": "",
    "timezone": "UTC",
}

#: Rows per agent in the workloads of a million rows: 10,000 agents with 40 assignments each.
_ROWS_PER_AGENT = 100
_EMPTY = ("jobs", "agent_jobs", "tickets", "backup_jobs", "imap_ingested", "email_inbound_events")


@dataclass(frozen=True)
class Bench:
    """The benchmark's database."""

    url: str

    def plan(self, *tables: str, legacy_schema: str = LEGACY_SCHEMA, batch_rows: int | None = None) -> RunPlan:
        """A run on this database that knows these tables and their parents."""
        size = {} if batch_rows is None else {"batch_rows": batch_rows}
        return RunPlan(
            Database(self.url, legacy_schema, read_only=True),
            Database(self.url, TARGET_SCHEMA),
            _specs(*tables),
            state_schema=STATE_SCHEMA,
            source=SOURCE,
            **size,
        )

    def execute(self, *statements: str | sql.Composable) -> None:
        """Run statements, each committed at once."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    # --- building -----------------------------------------------------------------------------------------------

    def build(self, rows: int) -> None:
        """Make the legacy rows, prepare the target, load every parent of the workloads."""
        agents = max(rows // _ROWS_PER_AGENT, 1)
        self.execute(*ddl.extension_ddl())
        wanted = {"agent_software": rows, "check_runs": rows, **dict.fromkeys(_EMPTY, 0)}
        generate(self.url, LEGACY_SCHEMA, agents=agents, overrides=wanted, create_schema=True)
        database = Database(self.url, TARGET_SCHEMA)
        session = database.connect()
        try:
            prepare(session, target_schema=TARGET_SCHEMA, state=State(database, STATE_SCHEMA))
        finally:
            session.close()
        self.execute("VACUUM (ANALYZE)")

    def load_parents(self, workload: Workload) -> None:
        """Load what the workload's table depends on; what is there stays unchanged."""
        plan = self.plan(workload.name)
        with open_run(plan) as run:
            run.load_all(plan.specs.keys() - {workload.name})
            ensure_map(run.context.state, run.context.session, plan.specs[workload.name])
        self.execute("VACUUM (ANALYZE)")

    def sample(self, rows: int) -> str:
        """A schema with the first rows of the workloads' tables and all of their parents; returns its name."""
        schema = f"legacy_{rows}"
        statements = [f"CREATE SCHEMA {schema}"]
        for table in legacy.metadata.tables.values():
            if table.name in ("check_runs", "agent_software"):
                statements += [
                    f"CREATE TABLE {schema}.{table.name} (LIKE {LEGACY_SCHEMA}.{table.name} INCLUDING ALL)",
                    f"INSERT INTO {schema}.{table.name} SELECT * FROM {LEGACY_SCHEMA}.{table.name} LIMIT {rows}",
                    f"VACUUM ANALYZE {schema}.{table.name}",
                ]
            else:
                statements.append(f"CREATE VIEW {schema}.{table.name} AS TABLE {LEGACY_SCHEMA}.{table.name}")
        self.execute(*statements)
        return schema

    # --- rounds -------------------------------------------------------------------------------------------------

    def reset(self, workload: Workload) -> None:
        """Empty what a round wrote, and let nobody pay for what the one before left."""
        made_by_run = ("quarantine", "held", "left_out", "legacy_archive")
        name = workload.name
        self.execute(
            f"TRUNCATE {TARGET_SCHEMA}.{name}, {STATE_SCHEMA}.legacy_{name}_map",
            # It comes at the end of a load, of ours and of the limit.
            f"DROP INDEX IF EXISTS {STATE_SCHEMA}.uq_legacy_{name}_map_new_key",
            # What an earlier round read and wrote must not be known.
            *(
                f"DELETE FROM {STATE_SCHEMA}.{book} WHERE table_name = '{name}'"
                for book in ("passes", "ledger", "movements")
            ),
            "DROP SCHEMA IF EXISTS bench_copy CASCADE",
            "DROP SCHEMA IF EXISTS bench_copy_staging CASCADE",
            *(f"DELETE FROM {STATE_SCHEMA}.{table} WHERE legacy_table = '{name}'" for table in made_by_run),
            *(f"VACUUM {STATE_SCHEMA}.{table}" for table in made_by_run),
            "CHECKPOINT",
        )

    def load_limit(self, workload: Workload) -> float:
        """Write target and map by one statement, and the index that a map gets at the end; returns the seconds."""
        name = f"{STATE_SCHEMA}.legacy_{workload.name}_map"
        index = f"CREATE UNIQUE INDEX uq_legacy_{workload.name}_map_new_key ON {name} (new_key) WHERE state = 'live'"
        settings = Database(self.url, TARGET_SCHEMA, session=self.hash_settings)
        with psycopg.connect(settings.conninfo, autocommit=True) as connection:
            row = connection.execute(f"SELECT id FROM {STATE_SCHEMA}.sources").fetchone()
            assert row is not None
            started = time.perf_counter()
            with connection.transaction():
                connection.execute(workload.limit(row[0]))
                connection.execute(index)
            return time.perf_counter() - started

    @cached_property
    def hash_settings(self) -> Mapping[str, str]:
        """The session settings with which the hashes of a run are made."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute(f"SELECT hash_key FROM {STATE_SCHEMA}.sources").fetchone()
        assert row is not None
        return row_hash.session_settings(bytes(row[0]))

    def rows_of(self, schema: str, workload: Workload) -> int:
        """Legacy rows."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute(f"SELECT count(*) FROM {schema}.{workload.name}").fetchone()
        assert row is not None
        return int(row[0])

    def checksums(self, workload: Workload) -> dict[str, tuple[int, int]]:
        """Rows and checksum of target and map, but for the numbers of the runs."""
        name = workload.name
        of_map = "legacy_key, new_key, rule, state, source_hash, written_hash"
        queries = {
            "target": f"SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {TARGET_SCHEMA}.{name} AS t",
            "map": f"SELECT count(*), sum(hashtextextended(ROW({of_map})::text, 0)::numeric)"
            f" FROM {STATE_SCHEMA}.legacy_{name}_map WHERE state = 'live'",
        }
        with psycopg.connect(self.url) as connection:
            rows = {what: connection.execute(query).fetchone() for what, query in queries.items()}
        return {what: (int(row[0]), int(row[1] or 0)) for what, row in rows.items() if row is not None}


def create(server: Server, rows: int) -> Bench:
    """The database, built in this server."""
    bench = Bench(server.create_database("bench").url)
    bench.build(rows)
    return bench


def _specs(*names: str) -> dict[str, TableSpec]:
    """The declarations of these tables and of all that they depend on."""
    modules = {name.rpartition(".")[2]: name for _, name, _ in pkgutil.walk_packages(assets.__path__, "assets.")}
    found: dict[str, TableSpec] = {}
    pending = list(names)
    while pending:
        spec: TableSpec = importlib.import_module(modules[pending.pop()]).SPEC
        found[spec.name] = spec
        pending += [parent for parent in spec.dependencies if parent not in found]
    return found
