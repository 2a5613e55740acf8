"""The merge: staged rows compared with what was last written and what is there now, and written accordingly.

Upserts happen on the mapped key only. Belongs here: the statements of one batch of one table. Does not belong here:
transactions, the ledger and dispositions of rows that never reached the stage (see load), the conflict list (see
conflicts).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from psycopg import sql
from sqlalchemy import Column
from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.backfill.load import compare
from remoteiq_etl.backfill.load.expressions import Expressions, listed
from remoteiq_etl.backfill.load.target_triggers import NotTaken, read_back
from remoteiq_etl.backfill.outcomes.before_images import Image, ImageWriter
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.maps import key_join
from remoteiq_etl.state.written_columns import GIVEN, T_column, assignments, comparable

SQL = statements(__file__)

#: So many rows are joined in no time, whatever the server takes them for.
_WITHOUT_STATISTICS = 1_000
#: The key of a staged row: the one that it had, unless a row of the target is recognised and nothing of ours stands (an undo took it back).
_KNOWN = "coalesce(CASE WHEN s._adopted AND m.written_hash IS NULL THEN s.{0} END, m.new_key, s.{0})"


@dataclass(frozen=True)
class Merge(Expressions):
    """The statements that bring one staging table into one target table.

    `triggers`: those of the target that may keep rows out or change what is written.
    """

    triggers: tuple[str, ...] = ()

    def classify(self, session: Session) -> Counter[str]:
        """Work out what is to be done with each staged row; rows per action. Needs a transaction."""
        session.execute(
            SQL["classify"].format(
                **self.names,
                new_key=self._new_key_known,
                present=sql.SQL("t.{} IS NOT NULL").format(self.pk[0]),
                newer=compare.newer(self),
                moved=compare.moved(self),
                wanted=compare.wanted(self),
                incoming_hash=self.hashed(self.incoming),
                given=sql.SQL("decode(j.last_written ->> {}, 'hex')").format(sql.Literal(GIVEN)),
                target_join=self.join(_KNOWN if self.single else "s.{0}"),
                collision=sql.Literal("collision" if self.derives_ids else "adopted"),
            )
        )
        actions = self.actions(session)
        if actions.total() > _WITHOUT_STATISTICS:
            session.execute("ANALYZE merge_plan")
        if self.guards and (actions["changed"] or actions["unchanged"]):
            session.execute(compare.closed_guards(self))
        if actions["changed"]:
            session.execute(compare.compare(self))
        if actions["moved"]:
            session.execute(compare.check_moves(self))
        if self.shares_rows:
            session.execute(SQL["yield_shared"].format(**self.names))
        return self.actions(session) if self.shares_rows or actions["changed"] or actions["moved"] else actions

    def note_moved(self, session: Session, rows: Sequence[int]) -> Counter[str]:
        """Let rows of which nothing changes but their key count as updated; rows per action."""
        note = "UPDATE merge_plan SET action = 'rekeyed' WHERE action = 'unchanged' AND _row = ANY (%s)"
        session.execute(note, [list(rows)])
        return self.actions(session)

    @property
    def shares_rows(self) -> bool:
        """Whether several sources may have a row in common: where its key is a natural one."""
        return not self.derives_ids

    def of_another_source(self, session: Session) -> list[str]:
        """Legacy keys of the rows that differ from the one that another source has; named so in the list of conflicts."""
        return [row[0] for row in session.rows(SQL["of_another_source"].format(**self.names))]

    def actions(self, session: Session) -> Counter[str]:
        """Rows per action, as planned by now."""
        return Counter(dict(session.rows("SELECT action, count(*) FROM merge_plan GROUP BY action")))

    def collisions(self, session: Session) -> list[str]:
        """Legacy keys of rows whose id belongs to a target row that we did not write."""
        query = sql.SQL(
            "SELECT s._key::text FROM merge_plan p JOIN {stage} s USING (_row) WHERE p.action = 'collision'"
        )
        return [row[0] for row in session.rows(query.format(**self.names))]

    def resolve_collisions(self, session: Session, new_keys: Mapping[str, str]) -> None:
        """Give these rows (legacy key → new id) another id; they are inserted under it."""
        given = {"keys": list(new_keys), "ids": list(new_keys.values())}
        session.execute(SQL["resolve_collisions"].format(**self.names, pk=self.pk[0]), given)

    def keep_images(self, session: Session, first: int, last: int) -> list[int]:
        """Remember what the planned rows are before they are written; `remember_left` takes the ids of the images."""
        return self._images.write(session, self._before_images, {"first": first, "last": last})

    def remember_left(self, session: Session, images: Sequence[int]) -> None:
        """Remember what the rows of these images are after they were written."""
        self._images.remember_left(session, images)

    def apply(self, session: Session, first: int, last: int, *, images: bool = True) -> None:
        """Write the planned rows numbered first to last, and their map; `images`: also what they were before.

        Raises NotTaken when the target reports no error, and rows are not as they were to be all the same.
        """
        span = {"first": first, "last": last}
        kept = self.keep_images(session, first, last) if images else []
        if not self.single:
            self._images.write(session, self._former_images, span)
            session.execute(self._leave_former, span)
        for statement in (self._insert, *self._changes):
            if not_taken := session.rows(statement, span):
                raise NotTaken([row[0] for row in not_taken])
        if self.triggers:
            read_back(self, session, first, last)
        self.remember_left(session, kept)
        session.execute(self._map_planned, span)

    def planned_writes(self, session: Session) -> list[tuple[str, str | None, str]]:
        """What the planned rows would change: new key, and the row before and after as JSON text, without secrets."""
        after = [
            (
                column,
                sql.SQL("CASE WHEN p.action = 'adopted' THEN {} ELSE {} END").format(
                    self.filled(column), self.guarded(column)
                ),
            )
            for column in self.compared
        ]
        query = sql.SQL(
            "SELECT p.new_key::text, (CASE WHEN p.present THEN {before} END)::text, ({after})::text"
            " FROM {stage} AS s JOIN merge_plan AS p USING (_row) LEFT JOIN {target} AS t ON {joined}"
            " WHERE p.action IN ('inserted', 'recreated', 'updated', 'taken', 'adopted')"
        )
        before = [(column, T_column(column)) for column in self.compared]
        return session.rows(
            query.format(**self.names, before=self.object(before), after=self.object(after), joined=self.planned_join)
        )

    def finish(self, session: Session) -> None:
        """Remember the rows of which nothing was written."""
        session.execute(SQL["map_reread"].format(**self.names))

    def load_first(self, session: Session, rows: int) -> int:
        """Write all staged rows into a target and a map that are empty. Returns the rows inserted.

        Raises NotTaken when these are fewer than the rows that there are.
        """
        inserted = session.execute(
            SQL["first_insert"].format(
                **self.names,
                columns=listed(self.columns),
                values=sql.SQL(", ").join(self.values),
                key=sql.SQL(", ").join(sql.SQL("s.{}").format(name) for name in self.pk),
            )
        )
        if inserted.rowcount != rows:
            raise NotTaken([])
        session.execute(
            SQL["first_map"].format(
                **self.names,
                new_key=sql.SQL("s.{}").format(self.pk[0]) if self.single else sql.SQL("s._new"),
                incoming_hash=self.hashed([self.value(column) for column in self.compared]),
                last_written=self.last_written([self.value(column) for column in self.compared]),
            )
        )
        return inserted.rowcount

    @property
    def derives_ids(self) -> bool:
        """Whether a row gets another id when its own is taken: only a surrogate key may change."""
        return self.spec.primary_key == ("id",) and isinstance(self.spec.target.columns["id"].type, pg.UUID)

    # --- pieces -------------------------------------------------------------------------------------------------

    @cached_property
    def _new_key_known(self) -> sql.Composable:
        if self.single:
            return sql.SQL(_KNOWN).format(self.pk[0])
        return sql.SQL("s._new")

    @cached_property
    def _insert(self) -> sql.Composable:
        values = [
            sql.SQL("p.new_key") if self.single and name == self.spec.primary_key[0] else value
            for name, value in zip(self.columns, self.values, strict=True)
        ]
        return SQL["insert"].format(
            **self.names,
            columns=listed(self.columns),
            values=sql.SQL(", ").join(values),
            key=sql.SQL(", ").join(sql.SQL("t.{}").format(name) for name in self.pk),
            planned_key=sql.SQL("p.new_key")
            if self.single
            else sql.SQL(", ").join(sql.SQL("s.{}").format(name) for name in self.pk),
            written_key=sql.SQL(", ").join(sql.SQL("w.{}").format(name) for name in self.pk),
        )

    @cached_property
    def _changes(self) -> list[sql.Composable]:
        changed = [(column, self.guarded(column)) for column in self.changed_by_update]
        touched = [(column, self.value(column, kept=True)) for column in self.activity]
        filled = [(column, self.filled(column)) for column in self._fillable]
        due_fill = {
            "current": sql.SQL(", ").join(comparable(column, T_column(column)) for column, _ in filled),
            "filled": sql.SQL(", ").join(comparable(column, value) for column, value in filled),
        }
        return [
            self._change(name, pairs, due)
            for name, pairs, due in (("update", changed, {}), ("touch", touched, {}), ("fill", filled, due_fill))
            if pairs
        ]

    def _change(
        self, name: str, pairs: Sequence[tuple[Column[Any], sql.Composable]], further: Mapping[str, sql.Composable]
    ) -> sql.Composable:
        """One kind of update, which gives the rows that it was about and that were not changed."""
        due = SQL[f"due_{name}"].format(**self.names, **further, target_join=self.planned_join)
        update = SQL[name].format(**self.names, assignments=assignments(pairs), due=due)
        return SQL["not_changed"].format(**self.names, update=update, due=due)

    @cached_property
    def _fillable(self) -> list[Column[Any]]:
        never = self.spec.adopt.never_filled if self.spec.adopt else ()
        return [column for column in self.compared if column.name not in never]

    @cached_property
    def _leave_former(self) -> sql.Composable:
        return SQL["leave_former"].format(**self.names, former=key_join(self.spec))

    @cached_property
    def _before_images(self) -> sql.Composable:
        image = Image.of(self.spec, self.state_schema, self.columns)
        return SQL["before_images"].format(
            **self.names, **image.statement, target_join=self.planned_join, current_hash=self.current_hash
        )

    @cached_property
    def _former_images(self) -> sql.Composable:
        image = Image.of(self.spec, self.state_schema)
        return SQL["former_images"].format(**self.names, **image.statement, former=key_join(self.spec))

    @cached_property
    def _images(self) -> ImageWriter:
        return ImageWriter(self.spec, self.target, self.state_schema, self.sealer)

    @cached_property
    def _map_planned(self) -> sql.Composable:
        return SQL["map_planned"].format(
            **self.names, target_join=self.planned_join, last_written=self._written_or_found
        )

    @property
    def _written_or_found(self) -> sql.Composable:
        """The values last written: those that the row holds where a trigger changed them, and the hash of what it was given."""
        written = self.last_written(self.incoming)
        if not self.triggers:
            return written
        given = sql.SQL("jsonb_build_object({}, encode(p.incoming, 'hex'))").format(sql.Literal(GIVEN))
        found = given
        if not self.spec.log_like:
            values = self.last_written([T_column(column) for column in self.compared])
            found = sql.SQL("({} || {})").format(values, given)
        return sql.SQL("CASE WHEN p.found IS NULL THEN {} ELSE {} END").format(written, found)
