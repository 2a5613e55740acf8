"""What is remembered of each asset between runs: how it was completed, and up to where each legacy table was read.

Belongs here: reading and writing that. Does not belong here: what follows from it (see capture).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from psycopg import sql
from psycopg.types.json import Jsonb

from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.source.relation_shape import RelationShape
from remoteiq_etl.state.target_access import TargetAccess


@dataclass(frozen=True)
class Pass:
    """What an asset last read of one legacy table: up to which horizon, how many rows there were, what the table was like."""

    horizon: int
    legacy_rows: int
    shape: RelationShape | None


@dataclass(frozen=True)
class Completed:
    """How an asset was last completed. `digests`: by name, of what its decide step read of other legacy tables."""

    run_id: int
    full_run: int
    changed_run: int
    database: str
    fingerprint: str
    digests: Mapping[str, str]


@dataclass
class Watermarks:
    """What earlier runs of a source read: by asset how it was completed, by asset and legacy table up to where."""

    completed: dict[str, Completed]
    passes: dict[tuple[str, str], Pass]

    @classmethod
    def read(cls, access: TargetAccess) -> "Watermarks":
        """Those of a source as they are committed now."""
        return cls(read_completed(access), read_passes(access))


def read_completed(access: TargetAccess) -> dict[str, Completed]:
    """How each asset was last completed."""
    query = sql.SQL(
        "SELECT table_name, run_id, full_run, changed_run, database, fingerprint, digests FROM {} WHERE source_id = %s"
    )
    rows = access.session.rows(query.format(access.state.name("assets")), [access.source_record.id])
    return {row[0]: Completed(*row[1:]) for row in rows}


def read_passes(access: TargetAccess) -> dict[tuple[str, str], Pass]:
    """What each asset last read, by asset and legacy table."""
    query = sql.SQL("SELECT table_name, legacy_table, horizon, legacy_rows, shape FROM {} WHERE source_id = %s")
    rows = access.session.rows(query.format(access.state.name("passes")), [access.source_record.id])
    return {(row[0], row[1]): Pass(*row[2:]) for row in rows}


def write_completed(run: RunContext, asset: str, done: Completed) -> None:
    """Remember how an asset was completed."""
    values = [done.run_id, done.full_run, done.changed_run, done.database, done.fingerprint, Jsonb(dict(done.digests))]
    run.session.execute(_upsert(run, "assets", _ASSET_KEY, _ASSET), [run.source_record.id, asset, *values])


def write_passes(run: RunContext, asset: str, rows: Mapping[str, int]) -> None:
    """Remember that an asset has seen all of these legacy tables (name → rows) as they are in the run's snapshot."""
    known = [run.id, run.snapshot.xmin]
    values = [
        [run.source_record.id, asset, table, *known, count, _json(run.snapshot.shapes.get(table)), run.started_at]
        for table, count in rows.items()
    ]
    run.session.execute_many(_upsert(run, "passes", _PASS_KEY, _PASS), values)


_ASSET_KEY = ("source_id", "table_name")
_ASSET = ("run_id", "full_run", "changed_run", "database", "fingerprint", "digests")
_PASS_KEY = ("source_id", "table_name", "legacy_table")
_PASS = ("run_id", "horizon", "legacy_rows", "shape", "passed_at")


def _json(shape: RelationShape | None) -> Jsonb | None:
    return None if shape is None else Jsonb(dict(shape))


def _upsert(run: RunContext, table: str, key: Iterable[str], values: Iterable[str]) -> sql.Composed:
    names = [sql.Identifier(name) for name in (*key, *values)]
    return sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}").format(
        run.state.name(table),
        sql.SQL(", ").join(names),
        sql.SQL(", ").join([sql.SQL("%s")] * len(names)),
        sql.SQL(", ").join(map(sql.Identifier, key)),
        sql.SQL(", ").join(sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in values),
    )
