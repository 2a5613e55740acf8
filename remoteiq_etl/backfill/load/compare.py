"""The comparison: what came in, what was last written and what is there now.

Belongs here: the statements that decide what becomes of a staged row. Does not belong here: writing it (see merge), and
what an operator decided about it (see conflicts).
"""

from psycopg import sql

from remoteiq_etl.backfill.load.expressions import Expressions
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.maps import key_join
from remoteiq_etl.state.written_columns import T_column

SQL = statements(__file__)

FALSE = sql.SQL("false")


def closed_guards(e: Expressions) -> sql.Composable:
    """Note for each row that changed the columns of which the target's value stays."""
    shut = [
        sql.SQL("CASE WHEN {} THEN {} END").format(condition, sql.Literal(name)) for name, condition in e.guards.items()
    ]
    return SQL["column_guards"].format(**e.names, target_join=e.planned_join, shut=sql.SQL(", ").join(shut))


def compare(e: Expressions) -> sql.Composable:
    """Compare rows that legacy changed with what is there."""
    return SQL["compare"].format(
        **e.names,
        target_join=e.planned_join,
        current_hash=e.current_hash,
        incoming_hash=e.hashed([e.guarded(column) for column in e.compared]),
        edited=_edited_beside_guards(e) if e.guards else sql.SQL("true"),
    )


def check_moves(e: Expressions) -> sql.Composable:
    """Decide about links that lead elsewhere now: the former one goes only if nobody touched what belongs together."""
    together = e.spec.moves_with
    edited = [e.edited(column) for column in e.compared]
    return SQL["moves"].format(
        **e.names,
        former=key_join(e.spec),
        there=sql.SQL("t.{} IS NOT NULL").format(e.pk[0]),
        edited=sql.SQL(" OR ").join(edited) if edited else FALSE,
        others=_others(e, together) if together else FALSE,
        gone=sql.Literal("move refused" if together else "deleted in target"),
    )


def moved(e: Expressions) -> sql.Composable:
    """Whether a key of several columns is another than the one last written."""
    return FALSE if e.single else sql.SQL("(m.written_hash IS NOT NULL AND m.new_key <> s._new)")


def wanted(e: Expressions) -> sql.Composable:
    """Whether a row is written again although it was deleted in the target."""
    conditions: list[sql.Composable] = []
    if e.recreate:
        keys = sql.Literal(sorted(e.recreate))
        conditions.append(sql.SQL("s._key::text = ANY ({0}) OR m.new_key::text = ANY ({0})").format(keys))
    elif e.recreate is not None:
        conditions.append(sql.SQL("true"))
    if e.spec.returns_with is not None:
        conditions.append(sql.SQL("s.{} IS NOT NULL").format(sql.Identifier(e.spec.returns_with)))
    return sql.SQL("({})").format(sql.SQL(" OR ").join(conditions)) if conditions else FALSE


def newer(e: Expressions) -> sql.Composable:
    """Whether the activity that comes in is later than what is there, or was changed in legacy alone."""
    if not e.activity:
        return sql.SQL("false")
    time = sql.Identifier(e.activity[0].name)
    later = sql.SQL("(t.{0} IS NULL AND s.{0} IS NOT NULL OR s.{0} > t.{0})").format(time)
    others = e.activity[1:]
    if not others:
        return sql.SQL("(t.{} IS NOT NULL AND {})").format(e.pk[0], later)
    as_written = sql.SQL(" AND ").join(sql.SQL("NOT {}").format(e.edited(column)) for column in others)
    differs = sql.SQL(" OR ").join(
        sql.SQL("{} IS DISTINCT FROM {}").format(T_column(column), e.value(column)) for column in others
    )
    return sql.SQL(
        "(t.{pk} IS NOT NULL AND ({later} OR (s.{time} IS NOT DISTINCT FROM t.{time} AND ({differs}) AND {as_written})))"
    ).format(pk=e.pk[0], later=later, time=time, differs=differs, as_written=as_written)


def _edited_beside_guards(e: Expressions) -> sql.Composable:
    """Whether a column was edited in the target that no door decides about."""
    overruled = {guard.column: guard.overrules(e) for guard in e.spec.column_guards}
    conditions = []
    for column in e.compared:
        shut = sql.SQL("coalesce({} = ANY (p.shut), false)").format(sql.Literal(column.name))
        settled = sql.SQL("{} OR {}").format(shut, overruled.get(column.name, FALSE))
        conditions.append(sql.SQL("({} AND NOT ({}))").format(e.edited(column), settled))
    return sql.SQL("({})").format(sql.SQL(" OR ").join(conditions))


def _others(e: Expressions, together: str) -> sql.Composable:
    """Whether rows that are not ours stand beside the former one."""
    others = sql.SQL(
        "EXISTS (SELECT FROM {target} AS o WHERE o.{column} = t.{column} AND NOT EXISTS (SELECT FROM {map} AS w"
        " WHERE w.source_id = {source_id} AND w.state = 'live' AND NOT w.adopted AND {joined}))"
    )
    return others.format(**e.names, column=sql.Identifier(together), joined=key_join(e.spec, "o", "w"))
