"""What we wrote to a table in all runs so far, for tables that record such writes.

Belongs here: reading it from the map and the images that are kept before each update. Does not belong here: what is
made of it.
"""

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
from psycopg import sql
from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.backfill import jsons
from remoteiq_etl.backfill.batch import KEY
from remoteiq_etl.backfill.database import load_sql
from remoteiq_etl.backfill.frames import TEXT, TIMESTAMP, frame, from_arrow
from remoteiq_etl.backfill.keys import key_join
from remoteiq_etl.backfill.merge import Merge
from remoteiq_etl.backfill.prepare_batch import Prepared
from remoteiq_etl.backfill.redact import plain, redacted_json
from remoteiq_etl.backfill.spec import TableSpec
from remoteiq_etl.backfill.state import map_of

if TYPE_CHECKING:
    from remoteiq_etl.backfill.run import Run

COLUMNS = {"run": TEXT, "at": TIMESTAMP, "key": TEXT, "previous": TEXT, "next": TEXT}


def writes_to(run: "Run", table: str) -> pd.DataFrame:
    """One row per write of ours to a row of a table, oldest first; without secrets. In a plan also what it would write.

    `previous` and `next` are JSON texts of the row, previous null where it was inserted; `at` is when the run began.
    """
    planned = _planned(run, table)
    if not run.has_target(table) or not run.state.has_map(run.session, table):
        return planned
    spec = run.spec(table)
    query = load_sql("history").format(
        map=run.state.name(map_of(spec).name),
        before_images=run.state.name("before_images"),
        runs=run.state.name("runs"),
        redacted=run.state.name("redacted"),
        target=run.target_name(table),
        key_join=key_join(spec),
        source_id=sql.Literal(run.registered.id),
        table_name=sql.Literal(table),
    )
    return pd.concat([from_arrow(run.arrow.table(query.as_string(None))), planned], ignore_index=True)


def remember_planned(run: "Run", spec: TableSpec, prepared: Prepared, merge: Merge | None) -> None:
    """Keep what a plan would write to a table whose history another one records."""
    writes = run.planned_writes.get(spec.name)
    if writes is None or not len(prepared.rows):
        return
    if merge is not None:
        writes += merge.planned_writes(run.session)
        return
    columns = [name for name in spec.target.columns.keys() if name in prepared.rows]  # noqa: SIM118  # names
    for key, row in zip(prepared.rows[KEY], prepared.rows[columns].to_dict("records"), strict=True):
        writes.append((str(key), None, jsons.dumps(redacted_json(_values(spec, row)))))


def _values(spec: TableSpec, row: Mapping[Hashable, Any]) -> dict[str, Any]:
    return {
        str(name): jsons.parse(value) if isinstance(spec.target.columns[str(name)].type, pg.JSON) else plain(value)
        for name, value in row.items()
    }


def _planned(run: "Run", table: str) -> pd.DataFrame:
    writes = run.planned_writes.get(table, [])
    columns = dict(zip(("key", "previous", "next"), zip(*writes, strict=True), strict=False))
    own = {"run": [str(run.id)] * len(writes), "at": [run.started_at] * len(writes)}
    found = own | {name: list(columns.get(name, [])) for name in ("key", "previous", "next")}
    return frame({name: found[name] for name in COLUMNS}, COLUMNS)
