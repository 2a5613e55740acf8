"""Rows of tables that we write that nobody of us wrote: the new application's, or somebody's by hand. Never a fault of ours.

Those that give a migrated user or role more than the mapping does come first. Belongs here: finding and naming them. Does not
belong here: whether a cut-over may begin in spite of them (see gate).
"""

from collections.abc import Iterator

from psycopg import sql

from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.maps import key_join
from remoteiq_etl.state.schema import State
from remoteiq_etl.verify.expected.compare import target_key
from remoteiq_etl.verify.snapshots import SnapshotPair
from remoteiq_etl.verify.verdicts.model import Finding, FindingKind, Label
from schemas.state.maps import map_name

SQL = statements(__file__)

UNMANAGED = "unmanaged"
"""The check that lists rows which no map leads to."""
ABOUT_UNMANAGED = "which rows somebody else made, and which of them give a migrated user or role more"
#: Rows that are fetched at once: a log that the application goes on writing may have millions.
_AT_ONCE = 10_000


def findings(pair: SnapshotPair, spec: TableSpec) -> Iterator[Finding]:
    """One difference for each row that no map leads to, those first that grant something to a row of ours."""
    for key, grants in unmanaged_rows(pair.session, pair.state, pair.target, spec):
        kind = FindingKind.GRANT if grants else FindingKind.FOREIGN
        text = f"gives more than the mapping to its {spec.grants_to}" if grants else "made by somebody else"
        yield Finding(spec.name, UNMANAGED, kind, Label.UNMANAGED, text, key)


def unmanaged_rows(session: Session, state: State, target: Database, spec: TableSpec) -> Iterator[tuple[str, bool]]:
    """Key of each row that no map leads to, and whether it grants something to a row of ours; these first.

    Needs a transaction, and the map of the table.
    """
    statement = SQL["unmanaged"].format(
        map=state.name(map_name(spec.name)),
        target=target.table(spec.name),
        key_join=key_join(spec),
        key=target_key(list(spec.primary_key), "t"),
        grants=_grants(state, spec),
    )
    with session.connection.cursor(name="unmanaged") as cursor:
        cursor.itersize = _AT_ONCE
        yield from ((str(key), bool(grants)) for key, grants in cursor.execute(statement))


def _grants(state: State, spec: TableSpec) -> sql.Composable:
    """Whether a row grants something to a row of ours."""
    if spec.grants_to is None:
        return sql.SQL("false")
    (key,) = spec.target.columns[spec.grants_to].foreign_keys
    return SQL["grants"].format(
        holders=state.name(map_name(key.column.table.name)), column=sql.Identifier("t", spec.grants_to)
    )
