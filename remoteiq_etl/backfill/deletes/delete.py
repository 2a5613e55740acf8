"""Deletes target rows whose legacy rows are gone: what is ours, as we wrote it, and referred to by nothing that stays.

The rows that one legacy row became (a unit) go together or not at all; children go before what they refer to, in the
reverse order of loading. A batch of units commits whole: images, rows, map, what was found out, and its account. A row that
the target does not let go stays with its unit, named. Belongs here: the batch. Does not belong here: what is gone, and the
brake (see gone).
"""

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import psycopg
from psycopg import sql

from remoteiq_etl.backfill.change_capture.capture import Capture
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.outcomes import movements
from remoteiq_etl.backfill.outcomes.before_images import text_join
from remoteiq_etl.backfill.outcomes.bulk_images import keep_images, remember_left
from remoteiq_etl.backfill.outcomes.ledger import write_outcomes
from remoteiq_etl.backfill.outcomes.movements import Cause
from remoteiq_etl.errors import ConservationError
from remoteiq_etl.postgres.errors.row_errors import is_about_rows, reason_of
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.map_queries import has_merged
from remoteiq_etl.state.maps import key_join, map_of
from remoteiq_etl.state.references import Reference, named_without_constraint, references_to
from remoteiq_etl.state.written_columns import current_hash

SQL = statements(__file__)

FREE = "free"


class _TakenBack(Exception):  # not an error: it takes a savepoint back
    pass


class _Kept(Exception):  # not an error: the target reported none, and a row is there all the same
    pass


@dataclass(frozen=True)
class Member:
    """The rows of one target table that come from one legacy table."""

    spec: TableSpec
    legacy_table: str


@dataclass(frozen=True)
class Deletion:
    """Deletes what is gone of one group of tables. `members` in the order in which they are deleted, children first."""

    run: RunContext
    members: Sequence[Member]
    capture: Capture

    def next_batch(self) -> Counter[tuple[str, str]] | None:
        """Judge and delete the rows of the next units; rows per table and verdict. None when all have been judged."""
        session = self.run.session
        with session.transaction():
            self.run.check_fence()
            session.execute("SELECT set_config('remoteiq_etl.preserve_updated_at', 'on', true)")
            session.execute(SQL["going"].format(**self._names, units=sql.Literal(self.run.batch_rows)))
            if not session.value("SELECT EXISTS (SELECT FROM going)"):
                return None
            session.execute("ANALYZE going")
            self._judge()
            self._delete_free()
            for statement in ("outcome", "done"):
                session.execute(SQL[statement].format(**self._names))
            return self._account()

    # --- what may go --------------------------------------------------------------------------------------------

    def _judge(self) -> None:
        """Lock the rows, look at each, and let what stays hold what it refers to."""
        for member in self._tables:
            lock = SQL["lock"].format(**self._of(member.spec), order=_columns("t", member.spec.primary_key))
            self.run.session.execute(lock)
        for member in self.members:
            self.run.session.execute(self._verdict(member))
        # The planner counts on these verdicts: by those from before it would go through the map for every row.
        self.run.session.execute("ANALYZE going")
        self._hold_all()

    def _mark(self, spec: TableSpec, state: str) -> int:
        """Mark the keys that led to what was deleted; how many there were in this state."""
        new_key_type = sql.SQL(str(map_of(spec).columns["new_key"].type))
        mark = SQL["map"].format(**self._of(spec), new_key_type=new_key_type, state=sql.Literal(state))
        return self.run.session.execute(mark).rowcount

    def _verdict(self, member: Member) -> sql.Composable:
        spec = member.spec
        absent = sql.SQL("m.state = 'deleted' OR {} IS NULL").format(sql.Identifier("t", spec.primary_key[0]))
        return SQL["judge"].format(
            **self._of(spec),
            legacy_table=sql.Literal(member.legacy_table),
            absent=absent,
            kept=sql.Literal(spec.on_delete is not None),
            current_hash=current_hash(self.run, spec, member.legacy_table),
            key_type=sql.SQL(str(map_of(spec).columns["legacy_key"].type)),
        )

    def _hold_all(self) -> None:
        while self._hold():
            continue

    def _hold(self) -> int:
        """Rows that were free and are not, because of a row that stays."""
        session = self.run.session
        held = session.execute(SQL["together"].format()).rowcount
        for member in self._tables:
            if self._free(member.spec):
                statements = [self._held(member.spec, reference) for reference in self.references[member.spec.name]]
                held += sum(session.execute(statement).rowcount for statement in statements)
        return held

    def _free(self, spec: TableSpec) -> list[str]:
        """The new keys of the rows of one table that may go."""
        query = "SELECT new_key FROM going WHERE table_name = %s AND verdict = 'free' ORDER BY new_key"
        return [row[0] for row in self.run.session.rows(query, [spec.name])]

    @cached_property
    def references(self) -> Mapping[str, Sequence[Reference]]:
        """What refers to each table of the group."""
        return {
            member.spec.name: [*references_to(self.run, member.spec), *named_without_constraint(self.run, member.spec)]
            for member in self._tables
        }

    def _held(self, spec: TableSpec, reference: Reference) -> sql.Composable:
        name = reference.named_from(self.run.target.schema)
        if not reference.readable:
            unknown = sql.SQL(
                "UPDATE going SET verdict = 'referred to', holder = {} WHERE table_name = {} AND verdict = 'free'"
            )
            return unknown.format(sql.Literal(f"{name}, which cannot be read"), sql.Literal(spec.name))
        return SQL["held"].format(
            **self._of(spec),
            child=sql.Identifier(reference.schema, reference.table),
            child_name=sql.Literal(f"{name} "),
            child_key=reference.shown_key(),
            references=reference.pairs(),
            unless=sql.SQL(" ").join([self._goes_along(reference), self._lets_go(reference)]),
        )

    def _goes_along(self, reference: Reference) -> sql.Composable:
        """A row that is deleted in the same batch holds nothing."""
        spec = next((m.spec for m in self._tables if m.spec.name == reference.table), None)
        if spec is None or reference.schema != self.run.target.schema:
            return sql.SQL("")
        return sql.SQL(
            "AND NOT EXISTS (SELECT FROM going AS k WHERE k.table_name = {} AND k.verdict = 'free' AND {})"
        ).format(sql.Literal(spec.name), text_join(spec, "k", "c"))

    def _lets_go(self, reference: Reference) -> sql.Composable:
        """A row of ours that only loses its reference holds nothing: as long as it is as we wrote it, so is the reference.

        One that is gone from legacy and stays holds what it refers to: else it would be kept, but not as it was.
        """
        spec = self._managed(reference)
        if spec is None or not reference.sets_null:
            return sql.SQL("")
        names = {**self.run.names(spec), "key_join": key_join(spec, "c", "o")}
        return SQL["lets_go"].format(
            **names,
            as_written=sql.SQL(" OR ").join(
                sql.SQL("o.legacy_table = {} AND o.written_hash = {}").format(
                    sql.Literal(source.name), current_hash(self.run, spec, source.name, "c")
                )
                for source in spec.sources
            ),
        )

    def _managed(self, reference: Reference) -> TableSpec | None:
        """The declaration of the table that refers, when it is one that we write."""
        run = self.run
        spec = run.plan.specs.get(reference.table)
        if spec is None or reference.schema != run.target.schema or not spec.sources:
            return None
        return run.live_spec(spec.asset) if run.state.has_map(run.session, spec.name) else None

    # --- what goes ----------------------------------------------------------------------------------------------

    def _delete_free(self) -> None:
        """Delete what may go. What the target does not let go stays, with what it holds."""
        while (error := self._deleted()) is not None:
            if not self._keep_refused():
                raise error
            self._hold_all()

    def _deleted(self) -> psycopg.Error | ConservationError | None:
        """Delete all that may go; the error where the target keeps one of these rows, and then nothing is deleted."""
        try:
            with self.run.session.transaction():
                for member in self._tables:
                    self._delete(member)
        except (psycopg.Error, ConservationError) as error:
            if isinstance(error, psycopg.Error) and not is_about_rows(error):
                raise
            return error
        return None

    def _keep_refused(self) -> int:
        """Mark the rows of the first table that does not let all of its rows go. Returns how many these are."""
        session, refused, name = self.run.session, list[tuple[str, str]](), ""
        with contextlib.suppress(_TakenBack), session.transaction():
            for member in self._tables:
                name, refused = member.spec.name, self._refused(member.spec, self._free(member.spec))
                if refused:
                    break
            raise _TakenBack
        keys, reasons = [key for key, _ in refused], [reason for _, reason in refused]
        session.execute(SQL["kept"], {"keys": keys, "reasons": reasons, "table": name})
        return len(refused)

    def _refused(self, spec: TableSpec, keys: Sequence[str]) -> list[tuple[str, str]]:
        """Delete these rows but for those that the target does not let go, found by halving; new key and reason of these."""
        if not keys:
            return []
        try:
            with self.run.session.transaction():
                statement = SQL["delete_some"].format(**self._of(spec))
                if self.run.session.execute(statement, {"keys": list(keys)}).rowcount < len(keys):
                    raise _Kept
        except (psycopg.Error, _Kept) as error:
            if isinstance(error, psycopg.Error) and not is_about_rows(error):
                raise
            if len(keys) == 1:
                kept = f"a trigger or rule of {spec.name}"
                return [(keys[0], reason_of(error, spec.name) if isinstance(error, psycopg.Error) else kept)]
            middle = len(keys) // 2
            return self._refused(spec, keys[:middle]) + self._refused(spec, keys[middle:])
        return []

    def _delete(self, member: Member) -> None:
        spec, session = member.spec, self.run.session
        names, expected = self._of(spec), len(self._free(spec))
        if not expected:
            return
        of_rows = sql.SQL(
            "t.ctid IN (SELECT t.ctid FROM going AS g JOIN {target} AS t ON {row_join}"
            " WHERE g.table_name = {table_name} AND g.verdict = 'free')"
        ).format(**names)
        keep_images(self.run, spec, "delete", of_rows)
        referring = [self._keep_referring(spec, one) for one in self.references[spec.name] if one.sets_null]
        deleted = session.execute(SQL["delete"].format(**names)).rowcount
        for child, images in filter(None, referring):
            remember_left(self.run, child, images)
        mapped = self._mark(spec, "live")
        movements.of_run(self.run, spec.name, Cause.GONE, -mapped)
        if has_merged(self.run, spec):
            self._mark(spec, "merged")
        self.capture.mark_remapped(spec.asset)
        if (deleted, mapped) != (expected, expected):
            raise ConservationError(
                f"{spec.name}: {expected} rows gone from legacy were to be deleted, but {deleted} were, and {mapped} of ours"
                " were mapped to them. The batch was not committed. This is a fault of the program."
            )

    def _keep_referring(self, spec: TableSpec, reference: Reference) -> tuple[TableSpec, list[int]] | None:
        """The images of rows of ours that are about to lose their reference."""
        child = self._managed(reference)
        if child is None:
            return None
        pairs = reference.pairs("t", "p")
        affected = sql.SQL(
            "EXISTS (SELECT FROM going AS g JOIN {target} AS p ON {parent_join}"
            " WHERE g.table_name = {table_name} AND g.verdict = 'free' AND {pairs})"
        )
        joined = text_join(spec, "g", "p")
        return child, keep_images(
            self.run, child, "update", affected.format(**self._of(spec), parent_join=joined, pairs=pairs)
        )

    def _account(self) -> Counter[tuple[str, str]]:
        rows = self.run.session.rows(
            "SELECT table_name, legacy_table, verdict, count(*) FROM going WHERE verdict <> 'withdrawn' GROUP BY 1, 2, 3"
        )
        outcomes: dict[tuple[str, str], dict[str, int]] = {}
        for table, legacy_table, verdict, count in rows:
            shown = "deleted, gone from legacy" if verdict == FREE else f"gone from legacy, {verdict}"
            outcomes.setdefault((table, legacy_table), {})[shown] = count
        for (table, legacy_table), counts in outcomes.items():
            write_outcomes(self.run, table, legacy_table, counts)
        return _summed(rows)

    # --- names --------------------------------------------------------------------------------------------------

    @property
    def _tables(self) -> list[Member]:
        """One member per target table."""
        return list({member.spec.name: member for member in self.members}.values())

    @property
    def _names(self) -> dict[str, sql.Composable]:
        pairs = [
            sql.SQL("({}, {})").format(sql.Literal(m.spec.name), sql.Literal(m.legacy_table)) for m in self.members
        ]
        return {
            **self.run.state.names,
            "source_id": sql.Literal(self.run.source_record.id),
            "run_id": sql.Literal(self.run.id),
            "members": sql.SQL("(g.table_name, g.legacy_table) IN ({})").format(sql.SQL(", ").join(pairs)),
        }

    def _of(self, spec: TableSpec) -> dict[str, sql.Composable]:
        return {
            **self._names,
            **self.run.names(spec),
            "row_join": text_join(spec, "g"),
        }


def _summed(rows: Sequence[tuple[str, str, str, int]]) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for table, _, verdict, count in rows:
        counts[table, verdict] += count
    return counts


def _columns(row: str, names: Sequence[str]) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(row, name) for name in names)
