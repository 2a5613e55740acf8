"""The batches of an undo: one transaction each, with rows, map, images and progress; killed, the next one goes on there.

First what we deleted is made again, parents first; then rows get their former values; then what we inserted goes, children
first. A row whose former unique value is not free yet waits until rows of its table are gone, or until the end. Belongs here:
one batch. Does not belong here: beginning and ending an undo (see execute).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

import psycopg
from psycopg import sql
from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.backfill.outcomes import movements
from remoteiq_etl.backfill.outcomes.before_images import activity_hash, text_join
from remoteiq_etl.backfill.outcomes.movements import Cause
from remoteiq_etl.errors import UndoMoved
from remoteiq_etl.lifecycle.undo import proof
from remoteiq_etl.lifecycle.undo.access import UndoContext
from remoteiq_etl.lifecycle.undo.proof import Changed
from remoteiq_etl.lifecycle.undo.restore import Restorer
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from remoteiq_etl.lifecycle.undo.verdicts import row_now
from remoteiq_etl.postgres.errors.failures import brief
from remoteiq_etl.postgres.row_hash import row_hash
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.sensitive.redaction import is_secret
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.maps import map_of

SQL = statements(__file__)

DELETE, RESTORE, INSERT = "delete", "restore", "insert"
AGAIN = "What was committed stands. Make a new plan of the rest: remoteiq-etl undo … --out FILE."
#: What a row may wait for: a unique value that another row of the undo still has, or a row that is to be made again.
_MAY_WAIT = (psycopg.errors.UniqueViolation, psycopg.errors.ForeignKeyViolation)


@dataclass(frozen=True)
class Batches:
    """The rows of one undo that are still to be written."""

    undo: UndoContext
    undo_id: int
    scope: UndoScope

    def execute(self) -> Iterator[tuple[str, str, int]]:
        """Write batch after batch; gives table, action and rows of each. Raises UndoMoved, FencedError."""
        parents_first = list(self.undo.tables)
        for action in (INSERT, RESTORE):
            for table in parents_first:
                yield from self._table(table, action)
        for table in parents_first[::-1]:
            yield from self._table(table, DELETE)
            # At once: until it is written, such a row may refer to one that goes next.
            yield from self._deferred({table}, {})
        while tables := {table for table, _ in self._waiting()}:
            refused: dict[str, psycopg.Error] = {}
            written = list(self._deferred(tables, refused))
            if not written and refused:
                table, error = next(iter(refused.items()))
                raise UndoBatch(self, table, RESTORE).refused(error)
            yield from written

    def _table(self, table: str, action: str) -> Iterator[tuple[str, str, int]]:
        batch, most = UndoBatch(self, table, action), self.undo.place.batch_rows
        rows = most
        while (written := batch.write_or_halve(rows)) is not None:
            yield table, action, written
            rows = min(most, max(1, 2 * written))  # not all at once again, where one row after the other has to wait

    def _deferred(self, tables: Collection[str], refused: dict[str, psycopg.Error]) -> Iterator[tuple[str, str, int]]:
        """Write what had to wait in these tables, each of them at once. What still has to wait is added to `refused`."""
        for table, action in self._waiting():
            if table in tables:
                try:
                    rows = UndoBatch(self, table, action, deferred=True).write(None)
                except _MAY_WAIT as error:
                    refused[table] = error
                else:
                    yield table, action, rows

    def _waiting(self) -> list[tuple[str, str]]:
        """Table and action of what had to wait, in the order in which it is written."""
        query = sql.SQL(
            "SELECT DISTINCT table_name, action FROM {} WHERE undo_id = %s AND deferred AND NOT done"
        ).format(self.undo.state.name("undo_rows"))
        found = {(table, action) for table, action in self.undo.session.rows(query, [self.undo_id])}
        return [
            (table, action) for action in (INSERT, RESTORE) for table in self.undo.tables if (table, action) in found
        ]


@dataclass(frozen=True)
class UndoBatch:
    """The next rows of one table that get the same. `deferred`: all that waited, at once."""

    batches: Batches
    table: str
    action: str
    deferred: bool = False

    @property
    def undo(self) -> UndoContext:
        """The open undo."""
        return self.batches.undo

    @property
    def spec(self) -> TableSpec:
        """The declaration of the table."""
        return self.undo.tables[self.table]

    def write_or_halve(self, rows: int) -> int | None:
        """Write at most so many rows; where one has to wait, fewer, until it is found. None when there are none left."""
        try:
            return self.write(rows) or None
        except _MAY_WAIT as error:
            if self.action == DELETE:
                raise self._moved(f"a row refers to one that would go ({error.diag.constraint_name})") from None
            if rows > 1:
                return self.write_or_halve(rows // 2)
            return self._defer()
        except psycopg.errors.IntegrityError as error:
            raise self.refused(error) from None

    def refused(self, error: psycopg.Error) -> UndoMoved:
        """What is said when the target does not take the rows."""
        said = f"the target refuses former values ({error.diag.constraint_name or brief(error)})"
        parents = self._parents if isinstance(error, psycopg.errors.UniqueViolation) else ()
        if self.action == RESTORE and parents:
            waiting = self.undo.session.value(SQL["waiting_rows"].format(**self._names), self._parameters)
            said += (
                f"; if {waiting} rows exchange them, each needs a row of {' or '.join(parents)} that no row of {self.table}"
                f" refers to, to leave its own for: add some for the time of the undo"
            )
        return self._moved(said)

    @property
    def _parents(self) -> list[str]:
        """The tables of which each row is referred to by one row of this table at the most."""
        uniques = [columns for columns in self.undo.unique[self.table] if len(columns) == 1]
        columns = [self.spec.target.columns[name] for (name,) in uniques]
        return sorted({key.column.table.name for column in columns for key in column.foreign_keys})

    def write(self, rows: int | None) -> int:
        """Write at most so many rows (None: all) in one transaction. Returns how many. Raises UndoMoved."""
        session = self.undo.session
        with session.transaction():
            self.undo.check_fence()
            session.execute("SELECT set_config('remoteiq_etl.preserve_updated_at', 'on', true)")
            before = proof.changes(self.undo)
            if not (count := self._take(rows)):
                return 0
            self._refuse_moved()
            expected = self._change(count)
            if self.action != DELETE and (wrong := session.value(proof.not_restored(self.undo, self.table))):
                raise self._moved(f"{wrong} rows would not be what they were; a trigger or a changed column does this")
            self._move_keys()
            for name in ("deleted_again", "conflicts_closed", "images_undone", "batch_done"):
                session.execute(SQL[name].format(**self._names), self._parameters)
            proof.refuse_others(self.undo, before, self.table, expected)
        return count

    # --- the rows -----------------------------------------------------------------------------------------------

    def _take(self, rows: int | None) -> int:
        """Lock the next rows, and note them. Returns how many."""
        session, parameters = self.undo.session, {**self._parameters, "rows": rows}
        session.execute(SQL["lock_rows"].format(**self._names), parameters)
        return session.execute(SQL["batch"].format(**self._names), parameters).rowcount

    def _refuse_moved(self) -> None:
        session = self.undo.session
        key = session.value("SELECT new_key FROM undo_batch WHERE NOT as_planned ORDER BY new_key LIMIT 1")
        if key is not None:
            raise self._moved(f"the row {key} was changed, deleted or made since the undo began")
        for reference in self.undo.referring[self.table] if self.action == DELETE else ():
            statement = SQL["referred"].format(
                **self._names,
                child=sql.Identifier(reference.schema, reference.table),
                child_key=reference.shown_key(),
                references=reference.pairs(),
            )
            for parent, child in session.rows(statement):
                name = reference.named_from(self.undo.target.schema)
                raise self._moved(f"{name} {child} refers to the row {parent} now")

    def _change(self, count: int) -> Changed:
        """Write the rows; what that changed in the table."""
        restorer = Restorer(self.undo, self.spec)
        if self.action == RESTORE:
            parked = restorer.park() if self.deferred else 0
            return Changed(updated=parked + restorer.restore())
        written = self._delete() if self.action == DELETE else restorer.insert()
        if written != count:
            raise self._moved(
                f"{count} rows were to be written, {written} were; a trigger or rule of the table does this"
            )
        return Changed(deleted=written if self.action == DELETE else 0)

    def _delete(self) -> int:
        return self.undo.session.execute(SQL["delete"].format(**self._names)).rowcount

    def _move_keys(self) -> None:
        """Let the map say what is true now, and the book how many keys are live more or fewer."""
        causes = {"map_undone": Cause.UNDONE, "map_restored": Cause.RESTORED}
        for name in ("map_undone",) if self.action == DELETE else causes:
            change = int(self.undo.session.value(SQL[name].format(**self._names), self._parameters))
            source_id, undo_id = self.undo.source_record.id, self.batches.undo_id
            movements.of_undo(self.undo.session, self.undo.state, source_id, undo_id, self.table, causes[name], change)

    def _defer(self) -> int:
        """Let the next row wait until all others are written."""
        defer = sql.SQL(
            "UPDATE {undo_rows} SET deferred = true WHERE (undo_id, table_name, new_key) IN (SELECT undo_id, table_name, new_key"
            " FROM {undo_rows} WHERE undo_id = %(undo_id)s AND table_name = {table_name} AND action = %(action)s AND NOT done"
            " AND NOT deferred ORDER BY new_key LIMIT 1)"
        )
        self.undo.session.execute(defer.format(**self.undo.of(self.table)), self._parameters)
        return 0

    def _moved(self, what: str) -> UndoMoved:
        return UndoMoved(f"{self.table}: {what}. Nothing of this batch was committed. {AGAIN}")

    # --- names --------------------------------------------------------------------------------------------------

    @property
    def _parameters(self) -> dict[str, object]:
        return {"undo_id": self.batches.undo_id, "action": self.action, "deferred": self.deferred}

    @cached_property
    def _names(self) -> dict[str, sql.Composable]:
        undo, spec = self.undo, self.spec
        last_run = sql.SQL("(SELECT u.last_run FROM {undos} AS u WHERE u.id = r.undo_id)").format(**undo.of(self.table))
        return {
            **undo.of(self.table),
            "row_join": text_join(spec, "r"),
            "absent": sql.SQL("t.{} IS NULL").format(sql.Identifier(spec.primary_key[0])),
            "row_now": row_now(spec),
            "activity": activity_hash(spec, undo.state.schema, sql.Identifier("t")),
            "legacy_key_type": sql.SQL(str(map_of(spec).columns["legacy_key"].type)),
            "shown": _shown(undo, spec),
            "of_run": self.batches.scope.of_run("b.run_id"),
            "done_in_scope": self.batches.scope.of_run("g.done_run"),
            "inserted_in_scope": self.batches.scope.of_run("m.inserted_run"),
            "last_run": last_run,
        }


def _shown(undo: UndoContext, spec: TableSpec) -> sql.Composable:
    """A target row (t) as the map holds what was last written: without secrets, these as keyed hashes."""
    shown: sql.Composable = sql.SQL("to_jsonb(t)")
    for column in spec.target.columns:
        name = sql.Identifier("t", column.name)
        if is_secret(column):
            value: sql.Composable = sql.SQL("encode({}, 'hex')").format(row_hash([name]))
        elif isinstance(column.type, pg.JSON):
            value = sql.SQL("{}({}::jsonb)").format(undo.state.name("redacted"), name)
        else:
            continue
        shown = sql.SQL("{} || jsonb_build_object({}, {})").format(shown, sql.Literal(column.name), value)
    return shown
