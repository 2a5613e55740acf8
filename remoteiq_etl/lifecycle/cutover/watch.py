"""Whether a database is written although it should not be: legacy behind the fence, and either side after the cut-over.

Belongs here: marks of what is there, and counting what is newer. Does not belong here: which rows those are (see written),
telling a person (see remoteiq_etl.lifecycle.alerts).
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from remoteiq_etl.backfill.source.ages import OLDEST_HORIZON, is_newer
from remoteiq_etl.backfill.source.database_identity import read_identity
from remoteiq_etl.errors import CutOverError, LegacyWritten
from remoteiq_etl.lifecycle.activity import last_activity
from remoteiq_etl.postgres.database import Database, Session

Marks = Mapping[str, Any]
"""`horizon`: the first transaction that had not begun, 64 bit; `rows`: by table, those that older ones wrote; `database`: see
`database_of`. As JSON.

They are taken while nobody writes: what is newer than the horizon was written since.
"""

_TABLES = "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = %s ORDER BY 1"


@dataclass(frozen=True)
class TableWrites:
    """What was written to a table since: rows that are new or changed, and older ones that are not there any more, changed
    ones among them.
    """

    table: str
    newer: int
    fewer: int

    def __str__(self) -> str:
        """In words."""
        return (
            f"{self.table} ({self.newer:,} rows new or changed, {max(self.fewer - self.newer, 0):,} deleted at least)"
        )


def take_marks(session: Session, tables: Collection[str] = ()) -> dict[str, Any]:
    """Marks of this moment, with the rows of these tables."""
    horizon = int(session.value("SELECT txid_snapshot_xmax(txid_current_snapshot())"))
    return {"horizon": horizon, "database": database_of(session), "rows": count_rows(session, tables, horizon)}


def database_of(session: Session) -> str:
    """Which database a session is of: transaction ids of another one, or of a copy, mean nothing here."""
    with session.transaction():
        system, _timeline, database, _tables = read_identity(session, ()).split("/")
    return f"{system}/{database}"


def refuse_another_database(session: Session, marks: Marks) -> None:
    """Raise CutOverError when the marks are of another database than the session's."""
    if marks.get("database", database_of(session)) != database_of(session):
        raise CutOverError(
            "the target is another database than the one that was cut over to, by its system identifier, so nobody can tell what was"
            " written since. Check REMOTEIQ_TARGET_URL."
        )


def count_rows(session: Session, tables: Collection[str], horizon: int) -> dict[str, int]:
    """By table, the rows that transactions before the horizon wrote."""
    return {name: _counts(session, name, horizon)[0] for name in tables}


def tables_of(session: Session) -> list[str]:
    """The tables of the schema of a session."""
    return [row[0] for row in session.rows(_TABLES, [session.database.schema])]


def written_since(session: Session, marks: Marks) -> Iterator[TableWrites]:
    """The tables that were written since; all of them where nobody can tell any more."""
    newest, there = int(session.value("SELECT txid_snapshot_xmax(txid_current_snapshot())")), set(tables_of(session))
    is_known = 0 <= newest - marks["horizon"] <= OLDEST_HORIZON
    for name, rows in sorted(marks["rows"].items()):
        older, newer = _counts(session, name, marks["horizon"]) if name in there and is_known else (0, 0)
        if newer or older != rows:
            yield TableWrites(name, newer, rows - older)


def _counts(session: Session, table: str, horizon: int) -> tuple[int, int]:
    """Rows that are older than the horizon, and the others."""
    query = sql.SQL("SELECT count(*), count(*) FILTER (WHERE {}) FROM {} AS l")
    names = is_newer(sql.SQL("l.xmin"), horizon), session.database.table(table)
    rows, newer = session.rows(query.format(*names))[0]
    return int(rows) - int(newer), int(newer)


@dataclass(frozen=True)
class LegacyWatch:
    """What legacy was behind the fence, before the final re-sync read it.

    Where the server itself refuses writes its counters are enough while they stand still; else every table is looked at
    (`exact`), twice. They may move late: a session reports what it wrote before the fence when it is idle or ends, and what
    was rolled back is counted, too. So rows are looked for then.
    """

    legacy: Database
    session: Session
    exact: bool
    marks: Marks
    activity: str
    deleted: int = 0

    @classmethod
    def begin(cls, legacy: Database, session: Session, *, is_enforced: bool) -> "LegacyWatch":
        """The watch from now on. `session` reads the legacy schema."""
        counts = session.value("SELECT current_setting('track_counts')::boolean") is True
        exact = not (is_enforced and counts)
        marks = take_marks(session, tables_of(session) if exact else ())
        if exact:
            return cls(legacy, session, exact, marks, "")
        return cls(legacy, session, exact, marks, last_activity(legacy), _deleted(session))

    def refuse_writes(self) -> None:
        """Raise LegacyWritten when a legacy table was written since."""
        if self.exact:
            named = ", ".join(map(str, written_since(self.session, self.marks)))
        else:
            named = "" if last_activity(self.legacy) == self.activity else self._written()
        if named:
            raise LegacyWritten(
                f"legacy tables were written although the fence stands: {named}. Find out who writes there"
                " (pg_stat_activity), stop that, or use a fence that keeps it out, then repeat."
            )

    def _written(self) -> str:
        """What was written, now that the counters have moved; empty where they only came late."""
        horizon = self.marks["horizon"]
        newer = {name: _counts(self.session, name, horizon)[1] for name in tables_of(self.session)}
        found = [f"{name} ({rows:,} rows new or changed)" for name, rows in newer.items() if rows]
        if _deleted(self.session) != self.deleted:
            found.append("rows deleted, by the server's counters")
        if _without_count(last_activity(self.legacy)) != _without_count(self.activity):
            found.append("the tables themselves, or the server was restarted")
        return ", ".join(found)


def _deleted(session: Session) -> int:
    """The rows that the server has counted as deleted from the tables of a schema."""
    query = "SELECT coalesce(sum(n_tup_del), 0) FROM pg_catalog.pg_stat_all_tables WHERE schemaname = %s"
    return int(session.value(query, [session.database.schema]))


def _without_count(activity: str) -> str:
    return re.sub(r"writes/\d+", "writes", activity)
