"""Rows whose key is made of a value that legacy has changed: a rotated jti, a renamed permission.

The row moves to its new key as it is, edits of the target included, with all that refers to it, before it is compared; the
comparison then finds it where it belongs. Where its new key is that of a row that we made of something else (a seed, a word), that row
is its own from then on. Belongs here: that move, its before images and the map. Does not belong here: keys of
several columns (see compare), the comparison itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.load.merge_statements import Merge
from remoteiq_etl.backfill.load.target_triggers import NotTaken
from remoteiq_etl.backfill.outcomes import movements
from remoteiq_etl.backfill.outcomes.before_images import Image, ImageWriter
from remoteiq_etl.backfill.outcomes.bulk_images import keep_images, remember_left
from remoteiq_etl.backfill.outcomes.movements import Cause
from remoteiq_etl.postgres.errors.row_errors import REFUSED, is_about_rows, reason_of, rule_of
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.map_queries import hand_over
from remoteiq_etl.state.maps import key_join, map_of
from remoteiq_etl.state.references import Reference, references_to

SQL = statements(__file__)

KEY_TAKEN = "key_taken"
"""The warning about a row that stays under its former key, because another row has the new one."""


@dataclass
class KeyMoves:
    """The rows (their numbers) that moved, or would in a plan, and those that the target refused: rule, columns, reason.

    `joined`: how many of them have a row that was ours under another legacy key, so that there is one row less.
    """

    rows: list[int] = field(default_factory=list)
    joined: int = 0
    refused: dict[int, tuple[str, tuple[str, ...], str]] = field(default_factory=dict)


def move_keys(run: RunContext, spec: TableSpec, merge: Merge) -> KeyMoves:
    """Move the staged rows of which legacy has changed the key. Needs the transaction of their batch."""
    return _Mover(run, spec, merge).execute()


@dataclass
class _Mover:
    run: RunContext
    spec: TableSpec
    merge: Merge
    moves: KeyMoves = field(default_factory=KeyMoves)

    def execute(self) -> KeyMoves:
        session = self.run.session
        if not session.execute(SQL["moving"].format(**self._names)).rowcount:
            return self.moves
        while free := [row[0] for row in session.rows(SQL["free"].format(**self._names), self._settled)]:
            if self.run.planning:
                self.moves.rows = free
                return self.moves
            self._move_or_halve(free, self._move)
        if ours := [row[0] for row in session.rows(SQL["ours"].format(**self._names), self._settled)]:
            if self.run.planning:
                self.moves.rows += ours
            else:
                self._move_or_halve(ours, self._join)
        if not self.run.planning:
            session.execute(SQL["taken"].format(**self._names), self._settled)
        return self.moves

    def _move_or_halve(self, rows: Sequence[int], move: Callable[[Sequence[int]], None]) -> None:
        """Move these rows; those that the target refuses are found by halving, and stay as they are."""
        try:
            with self.run.session.transaction():
                move(rows)
        except (psycopg.Error, NotTaken) as error:
            if isinstance(error, psycopg.Error) and not is_about_rows(error):
                raise
            if len(rows) > 1:
                middle = len(rows) // 2
                self._move_or_halve(rows[:middle], move)
                self._move_or_halve(rows[middle:], move)
            else:
                self.moves.refused[rows[0]] = self._reason(error)
        else:
            self.moves.rows += rows

    def _reason(self, error: psycopg.Error | NotTaken) -> tuple[str, tuple[str, ...], str]:
        if isinstance(error, psycopg.Error):
            return rule_of(error), self.spec.primary_key, reason_of(error, self.spec.name)
        return REFUSED, self.spec.primary_key, f"a trigger or rule of {self.spec.name} does not let its key change"

    def _move(self, rows: Sequence[int]) -> None:
        session, names, those = self.run.session, self._names, {"rows": list(rows)}
        self._keep_images(those)
        references = references_to(self.run, self.spec)
        if references:
            session.execute(SQL["copy"].format(**names, **self._copied), those)
            for reference in references:
                self._follow(reference, those)
            session.execute(SQL["leave"].format(**names), those)
        else:
            session.execute(SQL["rename"].format(**names), those)
        if lost := session.rows(SQL["not_there"].format(**names), those):
            raise NotTaken([row[0] for row in lost])
        session.execute(SQL["map"].format(**names), those)

    def _join(self, rows: Sequence[int]) -> None:
        """Let rows that we made of something else be those of these keys, with all that refers to their former ones."""
        session, names, those = self.run.session, self._names, {"rows": list(rows)}
        holders = session.rows(SQL["holders"].format(**names), those)
        self._keep_images(those)
        for reference in references_to(self.run, self.spec):
            self._drop_doubles(reference, those)
            self._follow(reference, those)
        session.execute(SQL["leave"].format(**names), those)
        for table, key, legacy_key in holders:
            hand_over(self.run, self.spec, self.run.id, (table, key), (self.merge.legacy_table, legacy_key))
        movements.of_run(self.run, self.spec.name, Cause.MERGED, -len(holders))
        self.moves.joined += len(holders)

    def _keep_images(self, those: dict[str, list[int]]) -> None:
        image = Image.of(self.spec, self.run.state.schema)
        writer = ImageWriter(self.spec, self.merge.target, self.run.state.schema, self.run.sealer)
        writer.write(self.run.session, SQL["former_images"].format(**self._names, **image.statement), those)

    # --- what refers to the row ---------------------------------------------------------------------------------

    def _follow(self, reference: Reference, those: dict[str, list[int]]) -> None:
        """Let what refers to the row follow it; rows that have the reference in their own key move as well."""
        session, (column,) = self.run.session, reference.columns
        child = self._declared(reference)
        in_key = child is not None and column in child.primary_key
        affected = sql.SQL("t.{} IN (SELECT k.former FROM key_moves AS k WHERE k._row = ANY ({}))").format(
            sql.Identifier(column), sql.Literal(those["rows"])
        )
        images: list[int] = []
        if child is not None and in_key:
            keep_images(self.run, child, "delete", sql.SQL("{} AND {}").format(affected, self._mapped(child)))
        elif child is not None:
            images = keep_images(self.run, child, "update", affected)
        statement = SQL["follow"].format(
            child=sql.Identifier(reference.schema, reference.table), column=sql.Identifier(column)
        )
        session.execute(statement, those)
        if child is not None and in_key:
            session.execute(self._follow_map(child, column), those)
        elif child is not None:
            remember_left(self.run, child, images)

    def _drop_doubles(self, reference: Reference, those: dict[str, list[int]]) -> None:
        """Remove what refers to a former row and would be equal to what refers to the other one already, which is its own then."""
        child, (column,) = self._declared(reference), reference.columns
        if child is None or column not in child.primary_key:
            return
        beside = [sql.Identifier(name) for name in child.primary_key if name != column]
        double = SQL["double"].format(
            rows=sql.Literal(those["rows"]),
            child=self.run.target_name(child.name),
            column=sql.Identifier(column),
            same=sql.SQL("").join(sql.SQL(" AND o.{0} = t.{0}").format(name) for name in beside),
        )
        keep_images(self.run, child, "delete", sql.SQL("{} AND {}").format(double, self._mapped(child)))
        names = {**self.run.names(child), "double": double, "other_key": self._moved_key(child, column)}
        shared = self.run.session.rows(SQL["shared_doubles"].format(**names))
        for table, key, other_table, other_key in shared:
            hand_over(self.run, child, self.run.id, (other_table, other_key), (table, key))
        forgotten = self.run.session.execute(SQL["forget_doubles"].format(**names)).rowcount
        movements.of_run(self.run, child.name, Cause.REPLACED, -len(shared) - forgotten)
        self.run.session.execute(SQL["drop_doubles"].format(**names))

    def _declared(self, reference: Reference) -> TableSpec | None:
        """The declaration of the table that refers, when it is one that we write."""
        run = self.run
        spec = run.plan.specs.get(reference.table)
        if spec is None or reference.schema != run.target.schema or not run.state.has_map(run.session, spec.name):
            return None
        return run.live_spec(spec.asset)

    def _mapped(self, child: TableSpec) -> sql.Composable:
        return sql.SQL(
            "EXISTS (SELECT FROM {} AS w WHERE w.source_id = {} AND w.state = 'live' AND NOT w.adopted AND {})"
        ).format(
            self.run.state.name(map_of(child).name), sql.Literal(self.run.source_record.id), key_join(child, "t", "w")
        )

    def _follow_map(self, child: TableSpec, column: str) -> sql.Composable:
        return SQL["follow_map"].format(
            child_map=self.run.state.name(map_of(child).name),
            run_id=sql.Literal(self.run.id),
            position=sql.Literal(child.primary_key.index(column)),
            new_key=self._moved_key(child, column),
        )

    def _moved_key(self, child: TableSpec, column: str) -> sql.Composable:
        """The key that a row (of the map m) gets that refers to a moving row: a JSON array without spaces, as the map has it."""
        position = child.primary_key.index(column)
        parts = [
            sql.SQL("to_json(k.wanted)::text")
            if number == position
            else sql.SQL("(m.new_key::json -> {})::text").format(sql.Literal(number))
            for number in range(len(child.primary_key))
        ]
        return sql.SQL("'[' || {} || ']'").format(sql.SQL(" || ',' || ").join(parts))

    # --- names --------------------------------------------------------------------------------------------------

    @property
    def _settled(self) -> dict[str, list[int]]:
        return {"settled": [*self.moves.rows, *self.moves.refused]}

    @property
    def _copied(self) -> dict[str, sql.Composable]:
        """Every column of the target, whether we write it or not."""
        names = list(self.run.catalogue.tables[self.spec.name])
        (key,) = self.spec.primary_key
        values = [sql.SQL("k.wanted") if name == key else sql.Identifier("t", name) for name in names]
        return {"columns": sql.SQL(", ").join(map(sql.Identifier, names)), "values": sql.SQL(", ").join(values)}

    @property
    def _names(self) -> dict[str, sql.Composable]:
        names = self.merge.names
        own = sql.SQL("m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = k.legacy_key")
        return {
            **names,
            "key": self.merge.pk[0],
            "is_own": own.format(**names),
            "decision_warnings": self.run.state.name("decision_warnings"),
            "asset": sql.Literal(self.spec.asset),
            "rule": sql.Literal(KEY_TAKEN),
        }
