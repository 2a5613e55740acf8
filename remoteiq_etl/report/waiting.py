"""The rows that became no row of the target, in groups with a few redacted samples, and what the archive keeps.

Belongs here: quarantined, held and disputed rows, rows left out by a rule, archived columns. Does not belong here: what is
to be done about them (see tasks).
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

from remoteiq_etl.backfill.context.report import ArchiveCount
from remoteiq_etl.lifecycle.mapping.column_map import ColumnMap
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.report.model import (
    ArchivedColumn,
    Conflicts,
    ConflictSides,
    Disputed,
    HeldGroup,
    Quarantined,
    SampleRow,
    SkippedGroup,
)
from remoteiq_etl.report.reading import Reader

SQL = statements(__file__)

#: Rows that are shown of a group: enough to recognise the reason, and a page of hundreds of groups stays readable.
FEW = 3
#: Keys that are named of a group.
FEW_KEYS = 5
_FEW: dict[str, Any] = {"few": FEW}


class _Conflict(NamedTuple):
    table: str
    reason: str
    rows: int
    decided: int
    legacy_table: str
    legacy_key: str
    new_key: str
    columns: list[str]
    last_written: dict[str, Any] | None
    current: dict[str, Any]
    incoming: dict[str, Any]
    decision: str | None


def quarantine(reader: Reader) -> list[Quarantined]:
    """The open rows by table and reason, the most first, each with the rows that have waited longest."""
    samples: dict[tuple[str, ...], list[SampleRow]] = {}
    for table, legacy_table, rule, key, since, row in reader.ask(SQL["quarantine_samples"], _FEW):
        samples.setdefault((table, legacy_table, rule), []).append(SampleRow(key, since, row))
    return [
        replace(group, samples=samples.get((group.table, group.legacy_table, group.rule), ()))
        for group in reader.ask_for(Quarantined, SQL["quarantine_groups"], _FEW)
    ]


def held(reader: Reader) -> list[HeldGroup]:
    """The open rows by what they wait for."""
    return reader.ask_for(HeldGroup, SQL["held_groups"], {"few": FEW_KEYS})


def left_out(reader: Reader) -> list[SkippedGroup]:
    """The rows that a rule left out."""
    return reader.ask_for(SkippedGroup, SQL["left_out"])


def conflicts(reader: Reader) -> list[Conflicts]:
    """The open conflicts by table and reason."""
    rows = [_Conflict(*row) for row in reader.ask(SQL["conflict_samples"], _FEW)]
    return [
        Conflicts(table, reason, (first := list(found))[0].rows, first[0].decided, [_disputed(one) for one in first])
        for (table, reason), found in groupby(rows, key=lambda row: (row.table, row.reason))
    ]


def _disputed(row: _Conflict) -> Disputed:
    sides = [
        ConflictSides(name, (row.last_written or {}).get(name), row.current.get(name), row.incoming.get(name))
        for name in row.columns
    ]
    status = "open" if row.decision is None else f"{row.decision}, by the next run"
    return Disputed(row.legacy_table, row.legacy_key, row.new_key, status, sides)


def archive(counts: Iterable[ArchiveCount], columns: ColumnMap) -> list[ArchivedColumn]:
    """What is kept of each legacy column, with the reason that its disposition gives."""
    return [ArchivedColumn(reason=_reason(one, columns), **vars(one)) for one in counts]


def _reason(one: ArchiveCount, columns: ColumnMap) -> str:
    column = columns.legacy.get(f"{one.legacy_table}.{one.column}")
    found = column.disposition if column else None
    return found.reason if found is not None and one.rule in (found.rule, found.kind) else ""
