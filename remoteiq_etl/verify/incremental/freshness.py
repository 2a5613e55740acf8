"""How fresh a verdict is: never, failed, verified at a moment against a snapshot, or stale because the source moved.

Belongs here: telling that from what is kept, and from a look at legacy where one is given. Does not belong here: verifying.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from psycopg import sql
from psycopg.errors import InsufficientPrivilege, UndefinedTable

from remoteiq_etl.backfill.source.ages import is_newer
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.schema import State
from remoteiq_etl.state.sources import written_rows
from remoteiq_etl.verify.verdicts import store
from remoteiq_etl.verify.verdicts.model import DATABASE, Label, Status, TableVerdict

SQL = statements(__file__)


class Freshness(StrEnum):
    """What the last verdict of a table is worth now."""

    NEVER = "never"
    FAILED = "failed"
    INCOMPLETE = "incomplete"
    VERIFIED = "verified"
    STALE = "stale"


@dataclass(frozen=True)
class Fresh:
    """The last verdict of a table in short. `why`: what makes it stale, or why it failed; `by_legacy`: it is stale only because
    legacy has gone on since, as it does while it is in use.
    """

    table: str
    freshness: Freshness
    verified_at: datetime | None = None
    snapshot: str | None = None
    bugs: int = 0
    differences: int = 0
    why: str | None = None
    by_legacy: bool = False


def freshness(
    session: Session, state: State, source_id: int, tables: Sequence[str], legacy: Session | None = None
) -> list[Fresh]:
    """How fresh the verdict of each of these target tables is. With `legacy` its rows are looked at, too."""
    found = {one.table: one for one in store.read(session, state, source_id) if one.table != DATABASE}
    later, undone = _later_runs(session, state, source_id), _taken_back(session, state, source_id)
    found |= {
        table: replace(found[table], status=Status.INCOMPLETE, error=_TAKEN_BACK) for table in undone & found.keys()
    }
    return [_of(found[table], later, legacy) if table in found else Fresh(table, Freshness.NEVER) for table in tables]


def unverified(verdicts: Iterable[Fresh]) -> dict[str, str]:
    """By table why its verdict is none, or none any more; without those that are verified."""
    return {
        one.table: one.why or (f"{one.bugs:,} differences that nothing explains" if one.bugs else "never verified")
        for one in verdicts
        if one.freshness is not Freshness.VERIFIED or one.bugs
    }


def _of(verdict: TableVerdict, later: Mapping[str, int], legacy: Session | None) -> Fresh:
    is_open = verdict.status is not Status.VERIFIED and not (
        verdict.status is Status.INCOMPLETE and verdict.table in later
    )
    why = verdict.error if is_open else _moved(verdict, later, legacy)
    status = _ENDED[verdict.status] if is_open else Freshness.STALE if why else Freshness.VERIFIED
    numbers = (verdict.bugs, verdict.differences)
    by_legacy = status is Freshness.STALE and verdict.table not in later
    return Fresh(verdict.table, status, verdict.verified_at, verdict.snapshot, *numbers, why, by_legacy)


_TAKEN_BACK = "an undo has taken it back since it was verified"
_ENDED = {Status.FAILED: Freshness.FAILED, Status.INCOMPLETE: Freshness.INCOMPLETE}


def _moved(verdict: TableVerdict, later: Mapping[str, int], legacy: Session | None) -> str | None:
    if verdict.table in later:
        return f"run {later[verdict.table]} has written rows of it since"
    if changed := verdict.labels.get(Label.CHANGED_IN_LEGACY):
        return f"legacy had changed {changed:,} rows since the last run when it was verified"
    return None if legacy is None or verdict.inputs is None else _changed(legacy, verdict.inputs["legacy"])


def _changed(legacy: Session, marks: Mapping[str, tuple[int, int]]) -> str | None:
    """The first legacy table that is not as it was when it was compared."""
    for table, (horizon, rows) in sorted(marks.items()):
        query = sql.SQL("SELECT count(*), count(*) FILTER (WHERE {}) FROM {} AS l").format(
            is_newer(sql.SQL("l.xmin"), horizon), legacy.database.table(table)
        )
        try:
            found, newer = legacy.rows(query)[0]
        except (UndefinedTable, InsufficientPrivilege):
            return f"{table} cannot be read any more"
        if newer or found != rows:
            return f"{table} has changed in legacy since"
    return None


def _taken_back(session: Session, state: State, source_id: int) -> set[str]:
    """The verified tables that count as completed by no run any more."""
    query = sql.SQL(
        "SELECT v.table_name FROM {} AS v WHERE v.source_id = %s AND v.status = 'verified' AND NOT EXISTS"
        " (SELECT FROM {} AS a WHERE a.source_id = v.source_id AND a.table_name = v.table_name)"
    ).format(*map(state.name, ("verifications", "assets")))
    return {row[0] for row in session.rows(query, [source_id])}


def _later_runs(session: Session, state: State, source_id: int) -> dict[str, int]:
    """The last run that wrote rows of a table after it was verified, by table."""
    query = SQL["later_runs"].format(**state.names, written=written_rows(state))
    return dict(session.rows(query, {"source_id": source_id}))
