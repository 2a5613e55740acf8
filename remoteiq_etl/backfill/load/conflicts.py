"""The conflict list of one batch: what legacy would change and the target keeps, and what was decided about it.

Belongs here: listing, carrying out a policy or an operator's decision, settling what is none any more. Does not belong
here: finding conflicts (see comparison), showing them to people (remoteiq_etl.lifecycle.operations.conflicts).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import sql
from sqlalchemy import Column

from remoteiq_etl.backfill.load.expressions import Expressions
from remoteiq_etl.config.conflicts import ConflictPolicy
from remoteiq_etl.errors import ConflictError
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.sensitive.redaction import is_secret
from remoteiq_etl.state.written_columns import T_column, comparable

SQL = statements(__file__)

EDITED, ADOPTED, GUARD, ELSEWHERE = "edited in target", "adopted", "one-way door", "row of another source"
_NAMED = 10  # keys that an error names; the list holds all
_REASONS: Mapping[str, sql.Composable] = {
    "guard": sql.Literal(GUARD),
    "edited": sql.Literal(EDITED),
    "adopted": sql.Literal(ADOPTED),
    "elsewhere": sql.Literal(ELSEWHERE),
}


def carry_out(e: Expressions, session: Session) -> None:
    """Plan what an operator decided about rows of this batch."""
    statement = SQL["decided_conflicts"]
    session.execute(statement.format(**e.names, **_REASONS, target_join=e.planned_join, current_hash=e.current_hash))


def follow(e: Expressions, session: Session, policy: ConflictPolicy) -> list[tuple[str, list[str]]]:
    """Plan what the policy says about edited rows of ours; an adopted row keeps its own values under each.

    Returns the legacy key and columns of each row at which the policy fails.
    """
    if policy == ConflictPolicy.TAKE_LEGACY:
        session.execute("UPDATE merge_plan SET action = 'taken' WHERE action = 'conflict kept' AND NOT adopted")
    if policy != ConflictPolicy.FAIL:
        return []
    edited = sql.SQL("SELECT c.legacy_key, c.columns FROM ({}) AS c ORDER BY c.legacy_key")
    rows = session.rows(edited.format(_differing(e, sql.SQL("p.action = 'conflict kept' AND NOT p.adopted"))))
    moves = session.rows(edited.format(_refused_moves(e))) if not e.single else []
    return [(key, columns) for key, columns in rows + moves]


def list_before(e: Expressions, session: Session, actions: Iterable[str]) -> None:
    """List conflicts as they are before anything of the batch is written."""
    found = set(actions)
    if found & {"conflict kept", "taken"}:
        _write(e, session, _differing(e, sql.SQL("p.action IN ('conflict kept', 'taken')")))
    if e.guards:
        _write(e, session, _refused(e))
    if "move refused" in found:
        _write(e, session, _refused_moves(e))


def list_adopted(e: Expressions, session: Session) -> None:
    """List the differences that rows adopted by this batch still have, once they are filled."""
    _write(e, session, _differing(e, sql.SQL("p.action = 'adopted'")))


def settle(e: Expressions, session: Session) -> None:
    """Close the conflicts of this batch's rows that are none any more."""
    differing = _array(_sides(column, e.value(column, kept=True)) for column in e.compared)
    statement = SQL["settle_conflicts"]
    session.execute(statement.format(**e.names, **_REASONS, target_join=e.planned_join, differing=differing))


def failure(table: str, rows: Sequence[tuple[str, list[str]]]) -> ConflictError:
    """The error of a table whose policy is to fail: keys and columns, no values."""
    named = "; ".join(f"{key}: {', '.join(columns)}" for key, columns in rows[:_NAMED])
    more = f"; and {len(rows) - _NAMED:,} more" if len(rows) > _NAMED else ""
    return ConflictError(
        f"{table}: {len(rows):,} rows were edited in the target and changed in legacy, and the policy is to fail ({named}{more})."
        f" Nothing of this batch was written. Decide with remoteiq-etl conflicts resolve {table}, or run with"
        f" --conflicts {table}=keep_target or {table}=take_legacy."
    )


def _write(e: Expressions, session: Session, rows: sql.Composable) -> None:
    session.execute(SQL["conflicts"].format(**e.names, rows=rows))


def _differing(e: Expressions, listed: sql.SQL) -> sql.Composable:
    """Rows whose target differs from what would be written; a shut door is listed by itself."""
    compared = [(column, e.guarded(column)) for column in e.compared]
    # When a row was made differs for every adopted one, and says nothing about it.
    counted = [pair for pair in compared if pair[0].name != "created_at"]
    made = [pair for pair in compared if pair[0].name == "created_at"]
    columns = _array(_sides(column, value) for column, value in counted)
    if made:
        of_ours = _array(_sides(column, value) for column, value in made)
        columns = sql.SQL("({} || CASE WHEN p.adopted THEN '{{}}'::text[] ELSE {} END)").format(columns, of_ours)
    return _rows(e, listed, columns, _reason())


def _reason() -> sql.Composable:
    reason = sql.SQL("CASE WHEN p.elsewhere THEN {elsewhere} WHEN p.adopted THEN {adopted} ELSE {edited} END")
    return reason.format(**_REASONS)


def _refused(e: Expressions) -> sql.Composable:
    """Rows of ours of which a door refused a change; not those that were carried back to legacy."""
    listed = sql.SQL("p.shut IS NOT NULL AND NOT p.adopted AND p.written IS DISTINCT FROM '\\x00'")
    return _rows(e, listed, sql.SQL("p.shut"), sql.Literal(GUARD))


def _rows(e: Expressions, listed: sql.SQL, columns: sql.Composable, reason: sql.Composable) -> sql.Composable:
    shown = [column for column in e.compared if not is_secret(column)]
    return SQL["conflict_rows"].format(
        **e.names,
        target_join=e.planned_join,
        current=e.object([(column, T_column(column)) for column in shown]),
        incoming=e.object([(column, e.value(column, kept=True)) for column in shown]),
        current_hash=e.current_hash,
        columns=columns,
        reason=reason,
        listed=listed,
    )


def _refused_moves(e: Expressions) -> sql.Composable:
    names = e.spec.primary_key
    written = [sql.SQL("m.new_key::jsonb ->> {}").format(sql.Literal(position)) for position in range(len(names))]
    incoming = [sql.SQL("s.{}::text").format(name) for name in e.pk]
    return SQL["refused_moves"].format(
        **e.names,
        columns=_array(zip(written, incoming, names, strict=True)),
        written=_pairs(names, written),
        current=_pairs(names, [sql.SQL("t.{}").format(name) for name in e.pk]),
        incoming=_pairs(names, incoming),
        owner=sql.Identifier(e.spec.moves_with or names[0]),
        reason=sql.Literal(GUARD),
    )


def _sides(column: Column[Any], value: sql.Composable) -> tuple[sql.Composable, sql.Composable, str]:
    """The target's value of a column and another one, as they can be compared."""
    return comparable(column, T_column(column)), comparable(column, value), column.name


def _pairs(names: Iterable[str], values: Iterable[sql.Composable]) -> sql.Composable:
    items = [sql.SQL("{}, {}").format(sql.Literal(name), value) for name, value in zip(names, values, strict=True)]
    return sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(items))


def _array(compared: Iterable[tuple[sql.Composable, sql.Composable, str]]) -> sql.Composable:
    """The names of the columns whose two sides differ."""
    items = [
        sql.SQL("CASE WHEN {} IS DISTINCT FROM {} THEN {} END").format(one, other, sql.Literal(name))
        for one, other, name in compared
    ]
    return sql.SQL("array_remove(ARRAY[{}]::text[], NULL)").format(sql.SQL(", ").join(items))
