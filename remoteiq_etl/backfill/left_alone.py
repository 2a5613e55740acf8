"""Rows that belong together and are somebody else's by now: where one of them is not ours, all are left alone.

Belongs here: which owners those are, and taking their rows out of a batch. Does not belong here: which table it is about.
"""

from typing import TYPE_CHECKING

from psycopg import sql

from remoteiq_etl.backfill.batch import KEY, Disposal, Outcome
from remoteiq_etl.backfill.prepare_batch import Prepared
from remoteiq_etl.backfill.spec import TableSpec
from remoteiq_etl.backfill.state import map_of

if TYPE_CHECKING:
    from remoteiq_etl.backfill.run import Run

RULE = "has_rows_not_ours"


def foreign_owners(run: "Run", spec: TableSpec) -> frozenset[str]:
    """The values of the declared column under which the target has a row that no run of ours wrote."""
    if spec.left_alone_by is None or not run.has_target(spec.name) or not run.state.has_map(run.session, spec.name):
        return frozenset()
    query = sql.SQL(
        "SELECT DISTINCT t.{owner}::text FROM {target} AS t"
        " WHERE NOT EXISTS (SELECT FROM {map} AS m WHERE m.new_key = t.{key} AND m.state = 'live')"
    ).format(
        owner=sql.Identifier(spec.left_alone_by),
        target=run.target_name(spec.name),
        map=run.state.name(map_of(spec).name),
        key=sql.Identifier(spec.primary_key[0]),
    )
    return frozenset(row[0] for row in run.session.rows(query))


def leave_alone(prepared: Prepared, spec: TableSpec, owners: frozenset[str]) -> None:
    """Filter the rows of these owners."""
    if not owners or not len(prepared.rows):
        return
    theirs = prepared.rows[str(spec.left_alone_by)].isin(list(owners)).astype(bool)
    prepared.disposals += [Disposal(str(key), Outcome.FILTERED, RULE) for key in prepared.rows.loc[theirs, KEY]]
    prepared.rows = prepared.rows[~theirs].reset_index(drop=True)
