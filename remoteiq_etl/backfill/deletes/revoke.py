"""Withdraws target rows whose legacy rows are gone and that must not be deleted: what they grant is taken back.

Which tables, columns and values is declared (see spec.WhenGone). It is done once: what somebody grants again afterwards
stands. Belongs here: the batch of one table. Does not belong here: what is gone (see gone), deleting (see deletion).
"""

from collections.abc import Mapping

import psycopg
from psycopg import sql

from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.outcomes import movements
from remoteiq_etl.backfill.outcomes.before_images import text_join
from remoteiq_etl.backfill.outcomes.bulk_images import keep_images, remember_left
from remoteiq_etl.backfill.outcomes.ledger import write_outcomes
from remoteiq_etl.backfill.outcomes.movements import Cause
from remoteiq_etl.postgres.errors.row_errors import is_about_rows, reason_of
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import NOW, OnDelete, Revocation, TableSpec
from remoteiq_etl.state.maps import map_of
from remoteiq_etl.state.written_columns import current_hash

SQL = statements(__file__)


class _Kept(Exception):  # not an error: the target reported none, and a row is as it was all the same
    pass


def revoke(run: RunContext, spec: TableSpec, on_delete: OnDelete) -> int:
    """Withdraw the rows of one table that are gone from legacy, a batch at a time. Returns how many.

    A row that the target does not let change stays listed, named; it is found by ever smaller batches.
    """
    done, rows = 0, run.batch_rows
    while True:
        try:
            batch = _batch(run, spec, on_delete, rows)
        except (psycopg.Error, _Kept) as error:
            if isinstance(error, psycopg.Error) and not is_about_rows(error):
                raise
            if rows == 1:
                _keep_next(run, spec, error)
            rows = max(rows // 2, 1)
            continue
        if not batch:
            return done
        done, rows = done + batch, min(rows * 2, run.batch_rows)


def _batch(run: RunContext, spec: TableSpec, on_delete: OnDelete, limit: int) -> int:
    """Withdraw the next rows in one transaction, with everything that refers to them. Returns how many."""
    with run.session.transaction():
        run.check_fence()
        names = {**_names(run, spec), "rows": sql.Literal(limit)}
        run.session.execute(SQL["withdraw"].format(**names))
        rows = run.session.rows("SELECT legacy_table, count(*) FROM going GROUP BY legacy_table")
        for step in on_delete.revokes if rows else ():
            _apply(run, spec, step)
        run.session.execute(SQL["done"].format(**names))
        for legacy_table, count in rows:
            write_outcomes(run, spec.name, legacy_table, {"gone from legacy, withdrawn": count})
    return sum(count for _, count in rows)


def _keep_next(run: RunContext, spec: TableSpec, error: psycopg.Error | _Kept) -> None:
    """List the row that is next as one that the target keeps as it is; this pass does not try it again."""
    kept = f"a trigger or rule of {spec.name} or of what refers to it"
    holder = reason_of(error, spec.name) if isinstance(error, psycopg.Error) else kept
    with run.session.transaction():
        run.check_fence()
        run.session.execute(SQL["withdraw"].format(**_names(run, spec), rows=sql.Literal(1)))
        run.session.execute(SQL["keep"].format(**_names(run, spec)), {"holder": holder})


def _apply(run: RunContext, parent: TableSpec, step: Revocation) -> None:
    """Change or delete what one step names, with an image of each row before."""
    spec = parent if step.table is None else run.live_spec(step.table)
    if not run.has_target(spec.name):
        return
    column = parent.primary_key[0] if step.column is None else step.column
    affected = _affected(map_of(parent).columns["new_key"].type, column, step)
    names = {**_names(run, spec), "affected": affected}
    images = keep_images(run, spec, "update" if step.sets else "delete", affected)
    if step.table is not None:
        outcome = sql.Literal("withdrawn" if step.sets else "deleted")
        with_it = SQL["with"].format(**names, row_join=text_join(spec, "g"), outcome=outcome)
        run.session.execute(with_it)
    if step.sets:
        _remember(run, spec, step, names)
        update = sql.SQL("UPDATE {target} AS t SET {sets} WHERE {affected}")
        run.session.execute(update.format(**names, sets=_assignments(step)))
        _refuse_kept(run, names)
        remember_left(run, spec, images)
        return
    if run.state.has_map(run.session, spec.name):
        withdrawn = run.session.execute(SQL["map"].format(**names)).rowcount
        movements.of_run(run, spec.name, Cause.WITHDRAWN, -withdrawn)
    run.session.execute(sql.SQL("DELETE FROM {target} AS t WHERE {affected}").format(**names))
    _refuse_kept(run, names)


def _refuse_kept(run: RunContext, names: Mapping[str, sql.Composable]) -> None:
    """Raise _Kept where a row is not as it shall be, although the target reported no error."""
    if run.session.value(sql.SQL("SELECT EXISTS (SELECT FROM {target} AS t WHERE {affected})").format(**names)):
        raise _Kept


def _remember(run: RunContext, spec: TableSpec, step: Revocation, names: Mapping[str, sql.Composable]) -> None:
    """What is set now counts as last written, where nobody had edited the row: when it comes back, legacy's value is compared
    with it, and the table's one-way doors refuse it by name.
    """
    if not run.state.has_map(run.session, spec.name):
        return
    pairs = [sql.SQL("{}, {}").format(sql.Literal(name), value) for name, value in _values(step).items()]
    written = sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(pairs))
    for source in spec.sources:
        statement = SQL["written"].format(
            **names,
            legacy_table=sql.Literal(source.name),
            before=current_hash(run, spec, source.name),
            after=current_hash(run, spec, source.name, instead=_values(step)),
            written=written,
        )
        run.session.execute(statement)


def _affected(key_type: object, column: str, step: Revocation) -> sql.Composable:
    """The condition under which a row (t) is changed: it belongs to a row that is withdrawn, and is not yet as it shall be."""
    belongs = sql.SQL("t.{} IN (SELECT g.new_key::{} FROM going AS g)").format(
        sql.Identifier(column), sql.SQL(str(key_type))
    )
    differs = [
        sql.SQL("t.{} IS NULL").format(sql.Identifier(name))
        if value == NOW
        else sql.SQL("t.{} IS DISTINCT FROM {}").format(sql.Identifier(name), sql.Literal(value))
        for name, value in step.sets.items()
    ]
    return belongs if not differs else sql.SQL("{} AND ({})").format(belongs, sql.SQL(" OR ").join(differs))


def _values(step: Revocation) -> dict[str, sql.Composable]:
    """What each column gets."""
    return {
        name: sql.SQL("coalesce(t.{}, now())").format(sql.Identifier(name))
        if value == NOW
        else sql.SQL("{}::text").format(sql.Literal(value))
        for name, value in step.sets.items()
    }


def _assignments(step: Revocation) -> sql.Composable:
    return sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), _values(step)[name] if value == NOW else sql.Literal(value))
        for name, value in step.sets.items()
    )


def _names(run: RunContext, spec: TableSpec) -> dict[str, sql.Composable]:
    return {
        **run.names(spec),
        "key": sql.Identifier(spec.primary_key[0]),
        "key_type": sql.SQL(str(map_of(spec).columns["legacy_key"].type)),
    }
