"""Legacy writes after the cut-over, looked for from outside and cheaply.

Belongs here: that look. Does not belong here: watching behind the fence (see watch), telling a person.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from remoteiq_etl.lifecycle.activity import last_activity
from remoteiq_etl.lifecycle.cutover import settle
from remoteiq_etl.lifecycle.cutover.watch import TableWrites, count_rows, tables_of, written_since
from remoteiq_etl.lifecycle.migration import Migration
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.state import cutovers
from remoteiq_etl.state.cutovers import CutOverRecord, Phase
from remoteiq_etl.state.schema import State


@dataclass(frozen=True)
class LateWrites:
    """What was written to legacy since the cut-over. `activity`: a text that is another when more may have been."""

    activity: str
    tables: Sequence[TableWrites]


def late_writes(migration: Migration, known: str) -> LateWrites | None:
    """What was written, unless nothing has moved since the look that gave `known`, or the source is not cut over.

    Reads every legacy table when the server's counters have moved. Writes nothing.
    """
    record = _record(migration)
    if record is None or record.marks is None:
        return None
    names = settle.names_of(record)
    legacy = migration.legacy if names is None else replace(migration.legacy, schema=names.legacy_after)
    activity = f"{record.id}/{last_activity(legacy)}"
    if activity == known:
        return None
    marks = record.marks.get("fall_back") or record.marks["legacy"]
    with contextlib.closing(legacy.connect()) as session:
        rows = marks["rows"] or count_rows(session, tables_of(session), marks["horizon"])
        return LateWrites(activity, list(written_since(session, {**marks, "rows": rows})))


def _record(migration: Migration) -> CutOverRecord | None:
    """The cut-over that is done; None where the source is not cut over."""
    state = State(migration.target, migration.settings.state_schema)
    with contextlib.closing(migration.target.connect()) as session:
        source_id = store.source_of(session, state, migration.settings.source) if state.is_current(session) else None
        found = None if source_id is None else cutovers.last(session, state, source_id)
    return found if found is not None and found.phase is Phase.DONE else None
