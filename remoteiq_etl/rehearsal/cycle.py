"""A rehearsal: prepare, load, re-sync, verify, finalize, the gate, the cut-over without its fence, the plan of a
fall-back, and everything back.

The real legacy database is read while it is in use; all that is written goes to the scratch target. Belongs here: the order, and
what each step must come to. Does not belong here: a step itself, the scratch (see scratch), the certificate (see certificate).
"""

import contextlib
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

import psycopg
from psycopg import sql
from sqlalchemy import Table

from remoteiq_etl.backfill.context.progress import Listener, Silent
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.backfill.deletes.detect import DeletePolicy
from remoteiq_etl.errors import RemoteIQError
from remoteiq_etl.fallback import fallback
from remoteiq_etl.gate import gate
from remoteiq_etl.gate.seen import catalogue, code_of, shape
from remoteiq_etl.inverse.views import LegacyViews
from remoteiq_etl.lifecycle.cutover.place import CutOverPlace
from remoteiq_etl.lifecycle.cutover.watch import tables_of, take_marks
from remoteiq_etl.lifecycle.migration import Migration
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.lifecycle.stages.stage import Stage
from remoteiq_etl.lifecycle.target.steps import staged
from remoteiq_etl.lifecycle.undo.access import UndoTarget
from remoteiq_etl.lifecycle.undo.execute import execute
from remoteiq_etl.lifecycle.undo.plan import plan as undo_plan
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.errors.failures import describe
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.rehearsal.certificate import Certificate, StepResult
from remoteiq_etl.rehearsal.locks import watched
from remoteiq_etl.rehearsal.scratch import Scratch, scratch
from remoteiq_etl.state import cutovers
from remoteiq_etl.state.cutovers import Phase
from remoteiq_etl.state.schema import State, program_version
from remoteiq_etl.verify.engine import verify
from schemas import target

SQL = statements(__file__)

WRITTEN_AGAIN = 1_000
"""Rows of each table of which a fall-back is rehearsed."""
SWITCH_SECONDS = 0.1
"""One short transaction, which is not rehearsed: it would rename the real schema."""


class RehearsalListener(Protocol):
    """Who wants to know how far a rehearsal is."""

    def begun(self, step: str) -> None:
        """A step has begun."""

    def ended(self, result: StepResult) -> None:
        """A step is done."""


@dataclass
class Rehearsal:
    """One rehearsal in work. `migration`: the real legacy database and the scratch target."""

    migration: Migration
    steps: RehearsalListener
    listener: Listener = field(default_factory=Silent)
    results: list[StepResult] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    cutover: int = 0

    def play(self) -> None:
        """Every step, until one of them fails."""
        for name, step in self._steps().items():
            self.steps.begun(name)
            began = time.monotonic()
            try:
                said, rows = step()
            except (RemoteIQError, psycopg.Error) as error:
                self.failures.append(f"{name}: {describe(error)}")
                return
            self.results.append(StepResult(name, round(time.monotonic() - began, 3), said, rows))
            self.steps.ended(self.results[-1])

    def _steps(self) -> Mapping[str, Callable[[], tuple[str, int]]]:
        return {
            "prepare": self._prepare,
            "load": self._load,
            "re-sync": self._load,
            "verify": self._verify,
            "finalize": self._finalize,
            "gate": self._gate,
            "final re-sync": self._cut_over,
            "final verification": self._verify,
            "cut-over": self._record,
            "fall-back": self._fall_back,
            "way back": self._back,
            "undo": self._undo,
            "compare": self._compare,
        }

    @property
    def window(self) -> tuple[float, float, float] | None:
        """The downtime to be expected, at least and at most, in seconds."""
        took = {one.step: one.seconds for one in self.results}
        if "final verification" not in took:
            return None
        resyncs = sorted((took["re-sync"], took["final re-sync"]))
        proofs = sorted((took["verify"], took["final verification"]))
        expected = took["final re-sync"] + took["final verification"] + SWITCH_SECONDS
        return tuple(
            round(one, 1) for one in (expected, resyncs[0] + proofs[0], resyncs[1] + proofs[1] + SWITCH_SECONDS)
        )  # type: ignore[return-value]

    # --- forward ------------------------------------------------------------------------------------------------------

    def _prepare(self) -> tuple[str, int]:
        with staged(self.migration.target, self.migration.settings) as place:
            made = place.prepare()
        return f"{len(made.created)} tables created", 0

    def _load(self) -> tuple[str, int]:
        with self.migration.run(listener=self.listener) as run:
            return self._loaded(run.load_all())

    def _loaded(self, reports: Mapping[str, TableReport]) -> tuple[str, int]:
        self.failures += [f"{name} was not loaded: {one.blocked}" for name, one in reports.items() if one.blocked]
        rows = sum(one.read for one in reports.values())
        return f"{rows:,} rows read of {len(reports)} tables", rows

    def _verify(self) -> tuple[str, int]:
        try:
            verdict = verify(self.migration.plan(), listener=self.listener)
        finally:
            self.migration.after_verification()
        if not verdict.passed:
            self.failures.append(f"the verification says {verdict.word}")
        rows = sum(table.rows_compared for table in verdict.tables)
        return f"{verdict.word}: {rows:,} rows compared", rows

    def _finalize(self) -> tuple[str, int]:
        with staged(self.migration.target, self.migration.settings) as place:
            made = place.finalize()
        return f"{len(made.foreign_keys)} foreign keys, {len(made.indexes)} indexes, {len(made.views)} views", 0

    def _gate(self) -> tuple[str, int]:
        """What a gate of the real target will ask for, so that it can be decided before."""
        asking = [
            one.rule.name
            for one in gate.status(self.migration).rules
            if not one.passes and one.rule.name != "rehearsal"
        ]
        return f"people have to settle {', '.join(asking)}" if asking else "nothing is left to people", 0

    # --- the cut-over without its fence, and back -------------------------------------------------------------------------

    def _cut_over(self) -> tuple[str, int]:
        """The final run, as the cut-over has it: with deletes, and with what the mapping does then only."""
        with self._control() as (session, state, source_id):
            self.cutover = cutovers.begin(session, state, source_id, None)
            fenced_at = session.value("SELECT clock_timestamp()")
            cutovers.record(session, state, self.cutover, Phase.FENCED, fenced_at=fenced_at)
        with self.migration.run(listener=self.listener) as run:
            said = self._loaded(run.load_all())
            run.deletes.look(DeletePolicy.PROPAGATE)
        return said

    def _record(self) -> tuple[str, int]:
        """The stages that are left until cut over; the final verification has moved it to verified, or was of nothing new."""
        with self._control() as (session, state, source_id):
            entry = store.current(session, state, source_id)
            if entry is not None and entry.stage is Stage.VERIFIED:
                store.move(session, state, source_id, Stage.FINALIZED, reason=f"rehearsal, cut-over {self.cutover}")
            store.move(session, state, source_id, Stage.CUT_OVER, reason=f"rehearsal, cut-over {self.cutover}")
            with contextlib.closing(self.migration.legacy.connect()) as legacy:
                marks = {"legacy": take_marks(legacy), "target": take_marks(session, tables_of(session))}
            cutovers.record(session, state, self.cutover, Phase.DONE, marks=marks)
        return "the stage is cut over; the switch itself is not rehearsed", 0

    def _fall_back(self) -> tuple[str, int]:
        """Rows are written again as they are, and planned: what would go back of them has changed on the way forth and back."""
        with self._control() as (session, state, source_id):
            rows = sum(self._written_again(session, table) for table in target.metadata.sorted_tables)
            found = fallback.plan(CutOverPlace(self.migration, self.migration.legacy))
            LegacyViews(session, state, self.migration.settings.source, source_id).remove()
        self.failures += [
            f"fall-back: {one.rows} rows of {one.table} would go back unchanged" for one in found.tables if one.rows
        ]
        return f"{rows:,} rows written again as they are, {found.rows:,} of them would go back", rows

    def _written_again(self, session: Session, table: Table) -> int:
        names = {
            "table": self.migration.target.table(table.name),
            "key": sql.Identifier(next(iter(table.primary_key.columns)).name),
            "rows": sql.Literal(WRITTEN_AGAIN),
        }
        with session.transaction():
            session.execute("SELECT set_config('remoteiq_etl.preserve_updated_at', 'on', true)")
            return session.execute(SQL["write_again"].format(**names)).rowcount

    def _back(self) -> tuple[str, int]:
        with self._control() as (session, state, source_id):
            cutovers.record(session, state, self.cutover, Phase.TAKEN_BACK)
            store.move(session, state, source_id, Stage.FINALIZED, reason="rehearsal, back")
        return "the stage is finalized", 0

    def _undo(self) -> tuple[str, int]:
        place = UndoTarget.of(self.migration.settings, self.migration.target, self.migration.specs)
        found = undo_plan(place, UndoScope(everything=True))
        if found.blocked:
            self.failures.append(f"undo: {len(found.blocked)} rows block it")
            return "blocked", 0
        outcome = execute(place, found)
        if not outcome.proven:
            self.failures.append("undo: the target is not what it was before")
        rows = sum(outcome.rows.values())
        return f"{rows:,} rows taken back", rows

    def _compare(self) -> tuple[str, int]:
        """The scratch target was empty: so it must be again."""
        with self._control() as (session, _, _):
            left = [
                name
                for name in sorted({spec.name for spec in self.migration.specs.values()})
                if session.value(SQL["has_rows"].format(table=self.migration.target.table(name)))
            ]
        if left:
            self.failures.append(f"compare: after the undo there are rows in {', '.join(left)}")
        return "every table is empty again" if not left else "rows are left", 0

    @contextlib.contextmanager
    def _control(self) -> Iterator[tuple[Session, State, int]]:
        state = State(self.migration.target, self.migration.settings.state_schema)
        with contextlib.closing(self.migration.target.connect()) as session:
            source_id = store.source_of(session, state, self.migration.settings.source)
            if source_id is None:
                raise RemoteIQError("the scratch target does not know the source.")
            yield session, state, source_id


def rehearse(
    migration: Migration, steps: RehearsalListener, listener: Listener | None = None, *, keep: bool = False
) -> Certificate:
    """Rehearse on a scratch target, which goes afterwards unless `keep`. Raises RehearsalError when there is no scratch."""
    began = datetime.now(UTC)
    with scratch(migration.settings, migration.target, keep=keep) as place:
        scratched = replace(migration, target=place.database)
        rehearsal = Rehearsal(scratched, steps, listener or Silent())
        wal = _wal_position(place)
        with watched({"legacy": migration.legacy, "scratch": place.database}) as locks:
            rehearsal.play()
        written = _wal_written(place, wal)
        legacy_schema, target_schema = _schemas(migration, place)
    return Certificate(
        source=migration.settings.source,
        scratch=place.about,
        began_at=began,
        program=program_version(),
        code=code_of(migration.specs),
        legacy_schema=legacy_schema,
        target_schema=target_schema,
        steps=tuple(rehearsal.results),
        window=rehearsal.window,
        wal_bytes=written,
        memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        locks=tuple(locks.found),
        failures=tuple(rehearsal.failures),
    )


def _schemas(migration: Migration, place: Scratch) -> tuple[str, str]:
    """Of legacy, and of the real target where it has tables, else of the scratch: the same program makes them alike."""
    with (
        contextlib.closing(migration.legacy.connect()) as legacy,
        contextlib.closing(migration.target.connect()) as target,
        contextlib.closing(place.database.connect()) as made,
    ):
        real, alike = (shape(session, migration.target.schema) for session in (target, made))
        return catalogue(legacy, migration.legacy.schema), real or alike or ""


def _wal_position(place: Scratch) -> str | None:
    with contextlib.closing(place.database.connect()) as session:
        found = session.value(SQL["wal_position"])
    return None if found is None else str(found)


def _wal_written(place: Scratch, since: str | None) -> int | None:
    if since is None:
        return None
    with contextlib.closing(place.database.connect()) as session:
        return int(session.value(SQL["wal_written"], {"since": since}))
