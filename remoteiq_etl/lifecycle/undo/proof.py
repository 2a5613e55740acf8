"""What proves an undo: within each batch, that it changed what the plan names and nothing else; at its end, by checksum.

Belongs here: taking and comparing figures. Does not belong here: what follows from a difference (see execute).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from psycopg import sql

from remoteiq_etl.backfill.outcomes.before_images import text_join
from remoteiq_etl.errors import UndoMoved
from remoteiq_etl.lifecycle.undo.access import UndoContext
from remoteiq_etl.lifecycle.undo.verdicts import row_over_image
from remoteiq_etl.postgres.row_hash import row_hash
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)

Checksums: TypeAlias = dict[str, list[str]]
"""By table (schema.table): rows and checksum."""


@dataclass(frozen=True)
class Changed:
    """Rows of one table that a transaction deleted and updated."""

    deleted: int = 0
    updated: int = 0


def changes(undo: UndoContext) -> dict[str, Changed]:
    """What the transaction has changed so far, by schema.table. What earlier ones of the session did may be in it, too."""
    rows = undo.session.rows(SQL["changes"].format(), [undo.state.schema])
    return {f"{schema}.{table}": Changed(deleted, updated) for schema, table, deleted, updated in rows}


def refuse_others(undo: UndoContext, before: Mapping[str, Changed], table: str, expected: Changed) -> None:
    """Raise UndoMoved when the transaction changed more than the rows of its batch: a cascade, a set null, a trigger."""
    wanted = {f"{undo.target.schema}.{table}": expected}
    after = changes(undo)
    for name in sorted({*after, *wanted}):
        now, then = after.get(name, Changed()), before.get(name, Changed())
        found = Changed(now.deleted - then.deleted, now.updated - then.updated)
        if found != wanted.get(name, Changed()):
            allowed = wanted.get(name, Changed())
            raise UndoMoved(
                f"{table}: the batch would delete {found.deleted} and change {found.updated} rows of {name}, but the plan names"
                f" {allowed.deleted} and {allowed.updated}. A foreign key that cascades or a trigger reaches rows that came"
                " after the plan. The batch was not committed. Make a new plan: remoteiq-etl undo … --out FILE."
            )


def checksums(undo: UndoContext, undo_id: int, tables: set[str]) -> Checksums:
    """Of these tables, and of all that refer to them: what the undo leaves alone. Kept rows are no part of it."""
    found: Checksums = {}
    for table in sorted(tables):
        found[f"{undo.target.schema}.{table}"] = _checksum(undo, undo_id, undo.target.schema, table)
        for reference in undo.referring[table]:
            name = f"{reference.schema}.{reference.table}"
            if name not in found and reference.readable:
                found[name] = _checksum(undo, undo_id, reference.schema, reference.table)
    return found


def not_as_before(undo: UndoContext, undo_id: int, tables: set[str]) -> dict[str, int]:
    """Rows of the undo that are not what they were before what was undone, by table; none are the proof."""
    found = {}
    for table in sorted(tables):
        spec = undo.tables[table]
        names = {**undo.of(table), "row_join": text_join(spec, "r")}
        session = undo.session
        session.execute("DROP TABLE IF EXISTS pg_temp.undo_batch")
        rows = "CREATE TEMPORARY TABLE undo_batch ON COMMIT DROP AS SELECT * FROM {} WHERE undo_id = %s AND table_name = %s AND action {}"
        session.execute(
            sql.SQL(rows).format(undo.state.name("undo_rows"), sql.SQL("IN ('restore', 'insert')")), [undo_id, table]
        )
        wrong = int(session.value(not_restored(undo, table)))
        there = sql.SQL(
            "SELECT count(*) FROM {undo_rows} AS r JOIN {target} AS t ON {row_join}"
            " WHERE r.undo_id = %s AND r.table_name = %s AND r.action = 'delete'"
        )
        wrong += int(session.value(there.format(**names), [undo_id, table]))
        if wrong:
            found[table] = wrong
    return found


def not_restored(undo: UndoContext, table: str) -> sql.Composable:
    """How many rows of the batch are not what the hash of their image says they were."""
    spec = undo.tables[table]
    return SQL["not_restored"].format(
        **undo.of(table),
        row_join=text_join(spec, "r"),
        absent=sql.SQL("t.{} IS NULL").format(sql.Identifier(spec.primary_key[0])),
        row_was=row_over_image(undo, spec, "i"),
    )


def _checksum(undo: UndoContext, undo_id: int, schema: str, table: str) -> list[str]:
    spec = undo.tables.get(table) if schema == undo.target.schema else None
    unmanaged: sql.Composable = sql.SQL("true")
    if spec is not None:
        unmanaged = sql.SQL(
            "NOT EXISTS (SELECT FROM {} AS r WHERE r.undo_id = {} AND r.table_name = {} AND {})"
        ).format(undo.state.name("undo_rows"), sql.Literal(undo_id), sql.Literal(table), text_join(spec, "r"))
    statement = SQL["checksum"].format(
        table=sql.Identifier(schema, table), row_hash=row_hash([sql.SQL("t.*")]), unmanaged=unmanaged
    )
    rows, checksum = undo.session.rows(statement)[0]
    return [str(rows), checksum]
