"""Questions about a target table and its map, each one statement.

Belongs here: what several steps of a run ask. Does not belong here: reading a map as a lookup (see maps), the writes of a batch.
"""

from collections.abc import Mapping, Sequence

from psycopg import sql

from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.maps import map_of
from remoteiq_etl.state.target_access import TargetAccess, statement_names

SQL = statements(__file__)


def unmapped(access: TargetAccess, specs: Sequence[TableSpec]) -> Mapping[str, bool]:
    """Whether neither the target table nor the map of this source has a row, by asset."""
    return _of_each(access, "unmapped", specs)


def deleted_in_target(access: TargetAccess, specs: Sequence[TableSpec]) -> Mapping[str, bool]:
    """Whether rows that were written are gone from the target table, and not yet noted as deleted, by asset."""
    return _of_each(access, "deleted_in_target", specs)


def _of_each(access: TargetAccess, question: str, specs: Sequence[TableSpec]) -> Mapping[str, bool]:
    """What is true or false of each of these tables, asked in one statement."""
    parts = [SQL[question].format(**statement_names(access, spec), asset=sql.Literal(spec.asset)) for spec in specs]
    return dict(access.session.rows(sql.SQL(" UNION ALL ").join(parts))) if parts else {}


def has_merged(access: TargetAccess, spec: TableSpec) -> bool:
    """Whether keys of this table were merged into rows of others."""
    query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE source_id = %s AND state = 'merged')")
    return bool(access.session.value(query.format(access.state.name(map_of(spec).name)), [access.source_record.id]))


def follow_same_as(access: TargetAccess, spec: TableSpec, run_id: int) -> int:
    """Let keys that a decision says stand for another row of the table lead to it, now that it has its id.

    Returns how many lead elsewhere now.
    """
    names = {**statement_names(access, spec), "run_id": sql.Literal(run_id)}
    return access.session.execute(SQL["same_as"].format(**names)).rowcount


def count_target(access: TargetAccess, spec: TableSpec) -> int:
    """Rows in the target table, of anyone."""
    return int(access.session.value(sql.SQL("SELECT count(*) FROM {}").format(access.target.table(spec.name))))


def hand_over(
    access: TargetAccess, spec: TableSpec, run_id: int, former: tuple[str, str], successor: tuple[str, str]
) -> None:
    """Let a key take over the row of another one, with what was last written there. Nothing where that one has no row.

    `former`, `successor`: legacy table and legacy key.
    """
    names = {**statement_names(access, spec), "run_id": sql.Literal(run_id)}
    of_former = dict(zip(("former_table", "former_key"), former, strict=True))
    state = access.session.value(SQL["step_back"].format(**names), of_former)
    if state is not None:
        of_successor = dict(zip(("legacy_table", "legacy_key"), successor, strict=True))
        access.session.execute(SQL["inherit"].format(**names), {**of_former, **of_successor, "state": state})
