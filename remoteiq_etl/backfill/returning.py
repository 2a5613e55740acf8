"""Rows that come back although they were deleted in the target, because a missing one would do harm.

Belongs here: finding them where no legacy row changed. Does not belong here: writing them (see comparison, `wanted`).
"""

from typing import TYPE_CHECKING

from psycopg import sql

from remoteiq_etl.backfill.database import load_sql
from remoteiq_etl.backfill.keys import key_join
from remoteiq_etl.backfill.spec import TableSpec
from remoteiq_etl.backfill.state import map_of

if TYPE_CHECKING:
    from remoteiq_etl.backfill.run import Run


def to_return(run: "Run", spec: TableSpec) -> list[tuple[str, str]]:
    """Legacy table and key of each row that is missing in the target and has to be there."""
    if spec.returns_with is None or not run.has_target(spec.name) or not run.state.has_map(run.session, spec.name):
        return []
    query = load_sql("to_return").format(
        map=run.state.name(map_of(spec).name),
        target=run.target_name(spec.name),
        source_id=sql.Literal(run.registered.id),
        column=sql.Literal(spec.returns_with),
        key_join=key_join(spec),
    )
    return [(table, key) for table, key in run.session.rows(query)]
