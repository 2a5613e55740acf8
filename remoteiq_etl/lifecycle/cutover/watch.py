"""Whether the legacy database is written although it should not be: behind the fence, and after the cut-over.

Belongs here: marks of what is there, and looking for what is newer. Does not belong here: telling a person (see alerts).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from remoteiq_etl.backfill.source.selection import OLDEST_HORIZON, is_newer
from remoteiq_etl.errors import LegacyWritten
from remoteiq_etl.lifecycle.activity import last_activity
from remoteiq_etl.postgres.database import Database, Session
from schemas import legacy

Marks = Mapping[str, Any]
"""`horizon`: older transactions are all over, 64 bit; `rows`: of each table; `activity`: see lifecycle.activity. As JSON."""

_TABLES = sorted(table.name for table in legacy.metadata.sorted_tables)


def take_marks(session: Session, tables: Mapping[str, int] | None = None) -> Marks:
    """Marks of this moment. `tables`: rows that were counted already; None counts them now."""
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        horizon = int(session.value("SELECT txid_snapshot_xmin(txid_current_snapshot())"))
        rows = count_rows(session) if tables is None else dict(tables)
    return {"horizon": horizon, "rows": rows}


def count_rows(session: Session) -> dict[str, int]:
    """The rows of each legacy table that is there."""
    names = [name for name in _TABLES if _is_there(session, name)]
    count = sql.SQL("SELECT count(*) FROM {}")
    return {name: int(session.value(count.format(session.database.table(name)))) for name in names}


def written_since(session: Session, marks: Marks) -> dict[str, int]:
    """By legacy table, how many rows were written or deleted since; every table where nobody can tell any more."""
    newest = int(session.value("SELECT txid_snapshot_xmax(txid_current_snapshot())"))
    if not 0 <= newest - marks["horizon"] <= OLDEST_HORIZON:
        return dict(marks["rows"])
    found = {name: _changed(session, name, marks["horizon"], rows) for name, rows in marks["rows"].items()}
    return {name: rows for name, rows in found.items() if rows}


def _changed(session: Session, table: str, horizon: int, rows: int) -> int:
    """New and changed rows of a table, and deleted ones; all of them where the table is gone."""
    if not _is_there(session, table):
        return rows
    query = sql.SQL("SELECT count(*), count(*) FILTER (WHERE {}) FROM {} AS l")
    there, newer = session.rows(query.format(is_newer(sql.SQL("l.xmin"), horizon), session.database.table(table)))[0]
    return int(newer) + max(rows - (int(there) - int(newer)), 0) if newer else abs(rows - int(there))


def _is_there(session: Session, table: str) -> bool:
    place = session.database.table(table).as_string(None)
    return session.value("SELECT to_regclass(%s) IS NOT NULL", [place]) is True


@dataclass(frozen=True)
class LegacyWatch:
    """What legacy was behind the fence, before the final re-sync read it. `exact`: every table is looked at; else the server's
    counters are, which is enough where the server itself refuses writes.
    """

    legacy: Database
    session: Session
    exact: bool
    marks: Marks
    activity: str

    @classmethod
    def begin(cls, legacy: Database, session: Session, *, is_enforced: bool) -> "LegacyWatch":
        """The watch from now on. `session` reads the legacy database."""
        counts = session.value("SELECT current_setting('track_counts')::boolean") is True
        exact = not (is_enforced and counts)
        marks = take_marks(session, None if exact else {})
        return cls(legacy, session, exact, marks, "" if exact else last_activity(legacy))

    def refuse_writes(self) -> None:
        """Raise LegacyWritten when a legacy table was written since."""
        if self.exact:
            tables = written_since(self.session, self.marks)
            named = ", ".join(f"{name} ({rows:,} rows)" for name, rows in sorted(tables.items()))
        else:
            named = "" if last_activity(self.legacy) == self.activity else "by the server's counters"
        if named:
            raise LegacyWritten(
                f"legacy tables were written although the fence stands: {named}. Find out who writes there"
                " (pg_stat_activity), stop that, or use a fence that keeps it out, then repeat."
            )
