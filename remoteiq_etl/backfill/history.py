"""What we wrote to a table in all runs so far, for tables that record such writes.

Belongs here: reading it from the map and the images that are kept before each update. Does not belong here: what is
made of it.
"""

from typing import TYPE_CHECKING

import pandas as pd
from psycopg import sql

from remoteiq_etl.backfill.database import load_sql
from remoteiq_etl.backfill.frames import TEXT, TIMESTAMP, frame, from_arrow
from remoteiq_etl.backfill.replace import key_join
from remoteiq_etl.backfill.state import map_of

if TYPE_CHECKING:
    from remoteiq_etl.backfill.run import Run

COLUMNS = {"run": TEXT, "at": TIMESTAMP, "key": TEXT, "previous": TEXT, "next": TEXT}


def writes_to(run: "Run", table: str) -> pd.DataFrame:
    """One row per write of ours to a row of a table, oldest first; without secrets.

    `previous` and `next` are JSON texts of the row, previous null where it was inserted; `at` is when the run began.
    """
    spec = run.spec(table)
    if not run.has_target(table) or not run.state.has_map(run.session, table):
        return frame({name: [] for name in COLUMNS}, COLUMNS)
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
    return from_arrow(run.arrow.table(query.as_string(None)))
