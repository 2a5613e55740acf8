"""What does not go back: rows for which legacy has no table, and parts of rows for which it has no word.

Belongs here: finding those that were written since the switch. Does not belong here: rows that legacy refuses (see legacy_writes).
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from psycopg import sql

from remoteiq_etl.backfill.source.ages import is_newer
from remoteiq_etl.fallback.model import Change, LeftBehind
from remoteiq_etl.inverse.inverse import inverses
from remoteiq_etl.inverse.views import LegacyViews
from remoteiq_etl.lifecycle.cutover import written
from remoteiq_etl.lifecycle.cutover.watch import Marks
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.verify.snapshots import SnapshotPair
from schemas import target

SQL = statements(__file__)

NO_TABLE = "legacy has no table for it"
_REASONS: Mapping[str, str] = {
    "user_roles": "a user of legacy has one role",
    "ticket_tags": "tickets of legacy have no tags",
    "contacts": "legacy knows a contact by its tickets alone",
    "clients": "legacy knows a client by its devices alone",
    "sites": "legacy knows a site by its devices alone",
    "check_assignments": "legacy assigns checks to devices alone",
    "email_messages": "legacy keeps no mail that was sent",
    "email_channels": "legacy has four purposes and no further channel",
    "agent_task_runs": "legacy keeps one run of a job",
    "devices": "the status goes back as the nearest word: offline",
    "backup_jobs": "the status goes back as the nearest word: running",
    "user_security": "recovery codes are kept as hashes, which legacy cannot check",
}


def found(pair: SnapshotPair, views: LegacyViews, marks: Marks) -> Iterator[LeftBehind]:
    """Row by row, table by table, of those that are newer than the marks."""
    held = {name for one in inverses().values() for name in (*one.reads, one.keys)}
    for table in target.metadata.sorted_tables:
        if pair.has_target(table.name) and table.name not in held:
            for row in written.rows_of(pair.session, pair.state, table.name, marks["horizon"]):
                yield LeftBehind(table.name, row.key, NO_TABLE)
    names = {
        "target": sql.Identifier(views.place.target),
        "state": sql.Identifier(views.place.state),
        "organization": sql.SQL("{}::uuid").format(sql.Literal(views.place.organization)),
        "newer": is_newer(sql.SQL("t.xmin"), marks["horizon"]),
    }
    for name, reason in _REASONS.items():
        for (key,) in pair.session.rows(SQL[name].format(**names)):
            yield LeftBehind(name, key, reason)


def write(conflicts: Sequence[Change], left: Sequence[LeftBehind], path: Path) -> Path:
    """Write them to a file that nobody else may read, one JSON object on each line: keys and reasons, no values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        for one in (*(as_left(change) for change in conflicts), *left):
            file.write(json.dumps(vars(one), ensure_ascii=False) + "\n")
    return path


def as_left(conflict: Change) -> LeftBehind:
    """A change that a conflict keeps from legacy."""
    return LeftBehind(
        conflict.table, conflict.key, f"{conflict.kind}: the legacy row was changed since the fence", conflict.columns
    )


def file_in(directory: Path, cutover: int) -> Path:
    """A new name of such a file."""
    return directory / f"left-behind-cutover-{cutover}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.jsonl"
