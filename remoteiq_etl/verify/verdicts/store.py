"""Where verdicts are kept: the last one of each table, and the history of verifications, in the state schema.

Belongs here: writing and reading them. Does not belong here: whether one still holds (see freshness).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from remoteiq_etl.postgres.database import Session
from remoteiq_etl.state.orders import actor
from remoteiq_etl.state.schema import State, program_version
from remoteiq_etl.verify.verdicts.model import Aggregate, Check, Finding, Status, TableVerdict


@dataclass(frozen=True)
class VerificationRow:
    """One verification of the past. `tables`: per table its seconds, rows and differences per label."""

    id: int
    status: str
    started_at: datetime
    finished_at: datetime | None
    snapshot: str | None
    actor: str
    program_version: str
    tables: Mapping[str, Mapping[str, Any]]
    error: str | None


def read(session: Session, state: State, source_id: int) -> list[TableVerdict]:
    """The last verdict of each table of a source that was ever verified, by name. Empty before the first verification."""
    query = sql.SQL("SELECT * FROM {} WHERE source_id = %s ORDER BY table_name").format(state.name("verifications"))
    return [_verdict(row) for row in session.objects(dict, query, [source_id])]


def history(session: Session, state: State, source_id: int, limit: int = 20) -> list[VerificationRow]:
    """The latest verifications of a source, the last one first."""
    query = sql.SQL(
        "SELECT id, status, started_at, finished_at, snapshot, actor, program_version, tables, error FROM {}"
        " WHERE source_id = %s ORDER BY id DESC LIMIT %s"
    ).format(state.name("verification_runs"))
    return session.objects(VerificationRow, query, [source_id, limit])


def begin(session: Session, state: State, source_id: int, snapshot: str) -> int:
    """Record that a verification begins; gives its number."""
    insert = sql.SQL(
        "INSERT INTO {} (source_id, status, snapshot, actor, program_version) VALUES (%s, 'running', %s, %s, %s) RETURNING id"
    ).format(state.name("verification_runs"))
    return int(session.value(insert, [source_id, snapshot, actor(), program_version()]))


def mark_interrupted(session: Session, state: State, source_id: int) -> None:
    """Mark verifications that ended without a word. Only while nobody else verifies the source."""
    update = sql.SQL("UPDATE {} SET status = 'interrupted' WHERE source_id = %s AND status = 'running'")
    session.execute(update.format(state.name("verification_runs")), [source_id])


def end(session: Session, state: State, verification_id: int, status: str, error: str | None = None) -> None:
    """Record how a verification ended."""
    update = sql.SQL("UPDATE {} SET status = %s, error = %s, finished_at = clock_timestamp() WHERE id = %s")
    session.execute(update.format(state.name("verification_runs")), [status, error, verification_id])


def write(session: Session, state: State, source_id: int, verification_id: int, verdict: TableVerdict) -> None:
    """Keep the verdict of one table in place of its former one, and count it in the history."""
    values = {
        "source_id": source_id,
        "table_name": verdict.table,
        "verification_id": verification_id,
        "status": verdict.status.value,
        "verified_at": verdict.verified_at,
        "confirmed_at": verdict.confirmed_at or verdict.verified_at,
        "whole_at": verdict.whole_at,
        "snapshot": verdict.snapshot,
        "seconds": verdict.seconds,
        "rows_compared": verdict.rows_compared,
        "bugs": verdict.bugs,
        "counts": Jsonb({check: dict(counts) for check, counts in verdict.counts.items()}),
        "checks": Jsonb([asdict(check) for check in verdict.checks]),
        "findings": Jsonb([finding.as_json() for finding in verdict.findings]),
        "matrices": Jsonb(dict(verdict.matrices)),
        "aggregates": Jsonb([one.as_json() for one in verdict.aggregates]),
        "inputs": None if verdict.inputs is None else Jsonb(dict(verdict.inputs)),
        "error": verdict.error,
    }
    with session.transaction():
        session.execute(_upsert(state, list(values)), values)
        _count(session, state, verification_id, verdict)


def confirm(session: Session, state: State, source_id: int, verification_id: int, verdict: TableVerdict) -> None:
    """Note that nothing has moved since a table was verified."""
    update = sql.SQL(
        "UPDATE {} SET confirmed_at = clock_timestamp(), verification_id = %s WHERE source_id = %s AND table_name = %s"
    )
    with session.transaction():
        session.execute(update.format(state.name("verifications")), [verification_id, source_id, verdict.table])
        _count(session, state, verification_id, verdict, again=False)


def _count(session: Session, state: State, verification_id: int, verdict: TableVerdict, *, again: bool = True) -> None:
    fact = {
        "status": verdict.status.value,
        "read": again,
        "seconds": round(verdict.seconds, 3) if again else 0,
        "rows": verdict.rows_compared,
        "labels": verdict.labels,
    }
    update = sql.SQL("UPDATE {} SET tables = tables || %s WHERE id = %s").format(state.name("verification_runs"))
    session.execute(update, [Jsonb({verdict.table: fact}), verification_id])


def _upsert(state: State, names: list[str]) -> sql.Composed:
    plain = [name for name in names if name not in ("source_id", "table_name")]
    return sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT (source_id, table_name) DO UPDATE SET {}").format(
        state.name("verifications"),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(sql.SQL(f"%({name})s") for name in names),
        sql.SQL(", ").join(sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in plain),
    )


def _verdict(row: Mapping[str, Any]) -> TableVerdict:
    return TableVerdict(
        table=row["table_name"],
        status=Status(row["status"]),
        verified_at=row["verified_at"],
        confirmed_at=row["confirmed_at"],
        whole_at=row["whole_at"],
        snapshot=row["snapshot"],
        seconds=row["seconds"],
        rows_compared=row["rows_compared"],
        counts=row["counts"],
        checks=tuple(Check(**check) for check in row["checks"]),
        findings=tuple(Finding.from_json(finding) for finding in row["findings"]),
        matrices=row["matrices"],
        aggregates=tuple(Aggregate.from_json(one) for one in row["aggregates"] or ()),
        inputs=row["inputs"],
        error=row["error"],
        verification_id=row["verification_id"],
    )
