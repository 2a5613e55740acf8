"""What is remembered of each asset between runs: how it was completed, and up to where each legacy table was read.

Belongs here: reading and writing that. Does not belong here: what follows from it (see capture).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql
from psycopg.types.json import Jsonb

from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.source.relation_shape import RelationShape
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.target_access import TargetAccess

SQL = statements(__file__)


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
    run.session.execute(SQL["write_completed"].format(**run.state.names), _values(run, asset, done))


def complete(run: RunContext, asset: str, done: Completed, rows: Mapping[str, int]) -> None:
    """Remember that an asset was completed, and has seen these legacy tables (name → rows) as they are in the run's snapshot.

    What was forgotten of it on demand counts as read again. One statement, which is a transaction where it is in none. Raises
    FencedError when a later run has taken over.
    """
    seen = [{"legacy_table": name, "rows": count, "shape": _shape(run, name)} for name, count in rows.items()]
    more = {"fence": run.fence, "horizon": run.snapshot.xmin, "passed_at": run.started_at, "seen": Jsonb(seen)}
    statement = SQL["complete"].format(**run.state.names)
    if not run.session.value(statement, {**_values(run, asset, done), **more, "this_run": run.id}):
        run.check_fence()


def _values(run: RunContext, asset: str, done: Completed) -> dict[str, object]:
    digests = Jsonb(dict(done.digests))
    return {**vars(done), "digests": digests, "source_id": run.source_record.id, "asset": asset}


def _shape(run: RunContext, table: str) -> dict[str, str] | None:
    shape = run.snapshot.shapes.get(table)
    return None if shape is None else dict(shape)
