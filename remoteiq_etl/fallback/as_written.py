"""The target as it was at the switch, as temporary views: what an inverse shows of them is what legacy would have shown then.

Belongs here: these views, made of what was last written of each row. Does not belong here: comparing (see changes).
"""

import json
from collections.abc import Iterator

from psycopg import sql

from remoteiq_etl.backfill.source.ages import is_newer
from remoteiq_etl.postgres.row_hash import row_hash
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.sensitive.redaction import is_secret
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.target_access import statement_names
from remoteiq_etl.state.written_columns import GIVEN, SECRET_PARTS, current_hash
from remoteiq_etl.verify.snapshots import SnapshotPair
from schemas import target

SQL = statements(__file__)

TEMPORARY = "pg_temp"
"""The schema in which they stand."""


def offer(pair: SnapshotPair, horizon: int) -> None:
    """Make a view for each table of the redesign that the target has. `horizon`: what is newer was written since the switch."""
    mapped = {*pair.state.entities(pair.session)}
    for table in target.metadata.sorted_tables:
        if pair.has_target(table.name):
            writers = [spec for spec in pair.writers(table.name) if spec.asset == table.name]
            _offer(pair, table.name, writers[0] if writers and table.name in mapped else None, horizon)


def _offer(pair: SnapshotPair, table: str, spec: TableSpec | None, horizon: int) -> None:
    names: dict[str, sql.Composable] = {
        "view": sql.Identifier(table),
        "target": pair.target.table(table),
        "newer": is_newer(sql.SQL("t.xmin"), horizon),
    }
    if spec is None:
        pair.session.execute(SQL["unmapped"].format(**names))
        return
    secret = [one for one in spec.target.columns if is_secret(one)]
    hidden = [SECRET_PARTS, GIVEN, *(one.name for one in secret)]
    parts = [_secret(one.name) for one in secret] or [sql.SQL("'{{}}'::jsonb").format()]
    statement = SQL["as_written"].format(
        **statement_names(pair, spec) | names,
        key=_key(spec),
        any_key=sql.Identifier(spec.primary_key[0]),
        hidden=sql.Literal(hidden),
        secrets=sql.SQL(" || ").join(parts),
        unknown=sql.Literal(json.dumps({"updated_at": None} if "updated_at" in spec.target.columns else {})),
        unchanged=sql.SQL(" ").join(_unchanged(pair, spec, names)) if spec.log_like else sql.SQL(""),
    )
    pair.session.execute(statement)


def _unchanged(pair: SnapshotPair, spec: TableSpec, names: dict[str, sql.Composable]) -> Iterator[sql.Composed]:
    """Of each legacy table that rows of a log are made of, those that still have the hash of what was written."""
    for source in spec.streamed:
        yield SQL["unchanged"].format(
            **statement_names(pair, spec, source.name) | names, current_hash=current_hash(pair, spec, source.name)
        )


def _secret(name: str) -> sql.Composed:
    return SQL["secret"].format(name=sql.Literal(name), hash=row_hash([sql.Identifier("t", name)]))


def _key(spec: TableSpec) -> sql.Composed:
    """The primary key of a row as the map (m) has it, as a JSON object."""
    if len(spec.primary_key) == 1:
        return sql.SQL("jsonb_build_object({}, m.new_key)").format(sql.Literal(spec.primary_key[0]))
    parts = [
        sql.SQL("{}, m.new_key::jsonb ->> {}").format(sql.Literal(name), sql.Literal(position))
        for position, name in enumerate(spec.primary_key)
    ]
    return sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(parts))
