"""What a plan would write to a table whose history another table records.

Belongs here: keeping it for the rest of the plan. Does not belong here: reading it (transform/write_history).
"""

from collections.abc import Hashable, Mapping
from typing import Any

from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.backfill.context.prepared import PreparedBatch
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.load.merge_statements import Merge
from remoteiq_etl.frames import json_text
from remoteiq_etl.sensitive.redaction import plain, redacted_json
from remoteiq_etl.spec.batch import KEY
from remoteiq_etl.spec.table import TableSpec


def remember_planned(run: RunContext, spec: TableSpec, prepared: PreparedBatch, merge: Merge | None) -> None:
    """Keep what a plan would write to a table whose history another one records."""
    writes = run.planned_writes.get(spec.name)
    if writes is None or not len(prepared.rows):
        return
    if merge is not None:
        writes += merge.planned_writes(run.session)
        return
    columns = [name for name in spec.target.columns.keys() if name in prepared.rows]  # noqa: SIM118  # names
    for key, row in zip(prepared.rows[KEY], prepared.rows[columns].to_dict("records"), strict=True):
        writes.append((str(key), None, json_text.dumps(redacted_json(_values(spec, row)))))


def _values(spec: TableSpec, row: Mapping[Hashable, Any]) -> dict[str, Any]:
    return {
        str(name): json_text.parse(value) if isinstance(spec.target.columns[str(name)].type, pg.JSON) else plain(value)
        for name, value in row.items()
    }
