"""What we wrote to a table in all runs so far, for tables that record such writes.

Belongs here: reading it from the map and the images that are kept before each update. Does not belong here: what is
made of it.
"""

import pandas as pd
from psycopg import sql

from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.frames.dtypes import TEXT, TIMESTAMP, frame, from_arrow
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.written_columns import GIVEN, SECRET_PARTS

SQL = statements(__file__)

COLUMNS = {"run": TEXT, "at": TIMESTAMP, "key": TEXT, "previous": TEXT, "next": TEXT}


def writes_to(run: RunContext, table: str) -> pd.DataFrame:
    """One row per write of ours to a row of a table, oldest first; without secrets. In a plan also what it would write.

    `previous` and `next` are JSON texts of the row, previous null where it was inserted; `at` is when the run began.
    """
    planned = _planned(run, table)
    if not run.has_target(table) or not run.state.has_map(run.session, table):
        return planned
    spec = run.spec(table)
    query = SQL["history"].format(**run.names(spec), further=sql.Literal([SECRET_PARTS, GIVEN]))
    return pd.concat([from_arrow(run.arrow.table(query.as_string(None))), planned], ignore_index=True)


def _planned(run: RunContext, table: str) -> pd.DataFrame:
    writes = run.planned_writes.get(table, [])
    columns = dict(zip(("key", "previous", "next"), zip(*writes, strict=True), strict=False))
    own = {"run": [str(run.id)] * len(writes), "at": [run.started_at] * len(writes)}
    found = own | {name: list(columns.get(name, [])) for name in ("key", "previous", "next")}
    return frame({name: found[name] for name in COLUMNS}, COLUMNS)
