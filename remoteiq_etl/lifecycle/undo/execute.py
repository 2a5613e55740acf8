"""Executes a plan, exactly and only that: begun once, resumed as often as needed, proven at its end.

Belongs here: beginning, resuming and ending. Does not belong here: one batch (see batches), the proof's figures (see proof).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain

from psycopg import sql
from psycopg.types.json import Jsonb

from remoteiq_etl.errors import UndoBlocked, UndoMoved
from remoteiq_etl.lifecycle.stages import moves
from remoteiq_etl.lifecycle.undo import proof
from remoteiq_etl.lifecycle.undo.access import UndoContext, UndoTarget, holding, looking
from remoteiq_etl.lifecycle.undo.batches import Batches
from remoteiq_etl.lifecycle.undo.plan import UndoPlan, judged
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.orders import actor

SQL = statements(__file__)

Progress = Callable[[str, str, int], None]


@dataclass
class UndoOutcome:
    """What an execution did. `resumed`: it went on with what another had begun; `before`: all was done before.

    `changed`: tables of which rows outside the plan are not what they were when the undo began; `wrong`: rows of the plan
    that are not what they were before what was undone. Both empty: proven.
    """

    undo_id: int
    rows: dict[tuple[str, str], int] = field(default_factory=dict)
    resumed: bool = False
    before: bool = False
    changed: list[str] = field(default_factory=list)
    wrong: dict[str, int] = field(default_factory=dict)

    @property
    def proven(self) -> bool:
        """Whether the target, without what stays, is what it was."""
        return not self.changed and not self.wrong


def execute(place: UndoTarget, plan: UndoPlan, progress: Progress = lambda _table, _action, _rows: None) -> UndoOutcome:
    """Execute a plan, or go on with it where it was interrupted.

    Raises UndoBlocked or UndoMoved before anything is written when it cannot be executed as it is, and UndoMoved, with the
    batches before committed, when rows were changed meanwhile; LockedError while a run is in work.
    """
    with holding(place) as undo:
        outcome = _begun(undo, plan) or UndoOutcome(_begin(undo, plan))
        if outcome.before:
            return outcome
        for table, action, rows in Batches(undo, outcome.undo_id, plan.scope).execute():
            outcome.rows[table, action] = outcome.rows.get((table, action), 0) + rows
            progress(table, action, rows)
        _end(undo, plan, outcome)
        return outcome


def keep_plan(place: UndoTarget, plan: UndoPlan) -> None:
    """Keep a plan in the state schema, so that it can be executed by its digest."""
    with looking(place) as undo:
        insert = sql.SQL(
            "INSERT INTO {undos} (source_id, digest, plan, status, actor) SELECT %(source_id)s, %(digest)s, %(plan)s, 'planned', %(actor)s"
            " WHERE NOT EXISTS (SELECT FROM {undos} WHERE source_id = %(source_id)s AND digest = %(digest)s)"
        )
        undo.session.execute(insert.format(**undo.state.names), _parameters(undo, plan))


def kept_plan(place: UndoTarget, digest: str) -> UndoPlan:
    """The plan that was kept under a digest. Raises UndoMoved when there is none."""
    with looking(place) as undo:
        query = sql.SQL("SELECT plan FROM {} WHERE source_id = %s AND digest = %s ORDER BY id DESC LIMIT 1")
        found = undo.session.value(query.format(undo.state.name("undos")), [undo.source_record.id, digest])
    if found is None:
        raise UndoMoved(
            f"no plan with the digest {digest!r} was made. Materialize undo_plan, and name the digest that it shows."
        )
    return UndoPlan.from_json(found)


# --- beginning ------------------------------------------------------------------------------------------------------


def _begun(undo: UndoContext, plan: UndoPlan) -> UndoOutcome | None:
    """What became of the plan so far; None when it is new. Raises UndoMoved when a run has begun since."""
    query = sql.SQL(
        "SELECT id, status, last_run IS NOT DISTINCT FROM (SELECT max(id) FROM {runs} WHERE source_id = %(source_id)s)"
        " FROM {undos} WHERE source_id = %(source_id)s AND digest = %(digest)s AND status <> 'planned' ORDER BY id DESC LIMIT 1"
    ).format(**undo.state.names)
    for undo_id, status, no_run_since in undo.session.rows(query, _parameters(undo, plan)):
        if status == "done":
            return UndoOutcome(undo_id, before=True)
        if status == "executing" and no_run_since:
            return UndoOutcome(undo_id, resumed=True)
        if status == "executing":
            _give_up(undo, undo_id)
        raise UndoMoved(
            f"the undo {undo_id} was interrupted, and a run has begun since: the rest of its plan holds no more."
            " What it committed stands. Make a new plan: remoteiq-etl undo … --out FILE."
        )
    return None


def _give_up(undo: UndoContext, undo_id: int) -> None:
    with undo.session.transaction():
        names = undo.state.names
        update = sql.SQL("UPDATE {undos} SET status = 'given up', finished_at = clock_timestamp() WHERE id = %s")
        undo.session.execute(update.format(**names), [undo_id])
        undo.session.execute(sql.SQL("DELETE FROM {undo_rows} WHERE undo_id = %s").format(**names), [undo_id])


def _begin(undo: UndoContext, plan: UndoPlan) -> int:
    """Work the plan out again, and record what is to be done if it is the same. Returns the number of the undo."""
    session = undo.session
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        undo.check_fence()
        _refuse_other(plan, judged(undo, plan.scope, accept_loss=plan.accept_loss))
        names = undo.state.names
        undo_id = int(session.value(SQL["begin_undo"].format(**names), _parameters(undo, plan)))
        if plan.changes:
            moves.takes_away(session, undo.state, undo.source_record.id, "undo", f"undo {undo_id} of {plan.scope}")
        session.execute(SQL["begin_rows"].format(**names), {"undo_id": undo_id})
        _forget(undo, plan)
        figures = proof.checksums(undo, undo_id, _written(plan))
        update = sql.SQL("UPDATE {undos} SET proof = %s WHERE id = %s").format(**names)
        session.execute(update, [Jsonb(figures), undo_id])
    return undo_id


def _forget(undo: UndoContext, plan: UndoPlan) -> None:
    """Let the next run read and decide as if the tables had never been completed."""
    statements = [SQL["forget_passes"].format(table=undo.state.name(table)) for table in ("passes", "assets")]
    names = {**undo.state.names, "of_run": plan.scope.of_run("w.run_id")}
    for statement in (*statements, SQL["warnings_undone"].format(**names)):
        undo.session.execute(statement, {"source_id": undo.source_record.id, "assets": _assets(undo, plan)})


def _refuse_other(plan: UndoPlan, now: UndoPlan) -> None:
    if now.blocked:
        first = now.blocked[0]
        raise UndoBlocked(
            f"{len(now.blocked)} rows block the undo, the first of them {first.table} {first.key}: {first.reason}"
            f"{f' ({first.holder})' if first.holder else ''}. Nothing was written. remoteiq-etl undo … shows all of them."
        )
    if now.digest != plan.digest:
        before = {table.table: table for table in plan.tables}
        after = {table.table: table for table in now.tables}
        moved = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        what = f" of {', '.join(moved)}" if moved else ""
        raise UndoMoved(
            f"the plan was computed from other rows{what} than there are now. Nothing was written. Look at a new plan:"
            " remoteiq-etl undo … --out FILE."
        )
    if now.as_json() != plan.as_json():
        raise UndoMoved("the plan is not what its digest says: it was edited. Nothing was written. Make a new plan.")


def _written(plan: UndoPlan) -> set[str]:
    return {table.table for table in plan.tables if table.changes}


def _assets(undo: UndoContext, plan: UndoPlan) -> list[str]:
    written = _written(plan)
    return sorted(asset for asset, spec in undo.place.specs.items() if spec.name in written)


def _parameters(undo: UndoContext, plan: UndoPlan) -> dict[str, object]:
    return {
        "source_id": undo.source_record.id,
        "digest": plan.digest,
        "plan": Jsonb(plan.as_json()),
        "actor": actor(),
    }


# --- ending ---------------------------------------------------------------------------------------------------------


def _end(undo: UndoContext, plan: UndoPlan, outcome: UndoOutcome) -> None:
    """Compare with what was found at the beginning, and forget the rows of the undo."""
    session, undo_id = undo.session, outcome.undo_id
    names = undo.state.names
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        undo.check_fence()
        before = session.value(sql.SQL("SELECT proof FROM {undos} WHERE id = %s").format(**names), [undo_id])
        after = proof.checksums(undo, undo_id, _written(plan))
        outcome.changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        outcome.wrong = proof.not_as_before(undo, undo_id, _written(plan))
        for table in _written(plan):
            _leave_images(undo, plan, undo_id, table)
        end = sql.SQL(
            "UPDATE {undos} SET status = 'done', finished_at = clock_timestamp(), proof = proof || %s WHERE id = %s"
        )
        found = {"proven": outcome.proven, "changed": outcome.changed, "wrong": outcome.wrong}
        session.execute(end.format(**names), [Jsonb(found), undo_id])
        session.execute(sql.SQL("DELETE FROM {undo_rows} WHERE undo_id = %s").format(**names), [undo_id])
        if plan.scope.everything and outcome.proven:
            moves.all_taken_back(session, undo.state, undo.source_record.id, f"undo {undo_id} of {plan.scope}")


def _leave_images(undo: UndoContext, plan: UndoPlan, undo_id: int, table: str) -> None:
    specs = [s for asset, s in undo.place.specs.items() if s.name == table and plan.scope.has(asset)]
    statement = SQL["images_left"].format(**undo.of(table), of_run=plan.scope.of_run("b.run_id"))
    legacy_tables = sorted({source.name for source in chain.from_iterable(spec.sources for spec in specs)})
    session_parameters = {"undo_id": undo_id, "tables": [table], "legacy_tables": legacy_tables}
    undo.session.execute(statement, session_parameters)
