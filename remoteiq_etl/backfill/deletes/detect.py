"""Rows gone from legacy: found by a complete read of the keys, recorded, and dealt with as the policy says.

A pass compares, in the snapshot of an open run, the keys of every legacy table with the maps. It reads no rows, and
needs no load before it. What it finds is recorded first, so that an interrupted pass loses nothing: the next one finds
the rest. Belongs here: finding, the brake on it, recording. Does not belong here: how rows are deleted (see deletion)
or withdrawn (see withdrawal).
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from psycopg import sql

from remoteiq_etl.backfill.change_capture import key_scan
from remoteiq_etl.backfill.change_capture.capture import Capture
from remoteiq_etl.backfill.change_capture.key_scan import KeyStage
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.deletes.delete import FREE, Deletion, Member
from remoteiq_etl.backfill.deletes.mass_delete_guard import DeleteFigures, guarded
from remoteiq_etl.backfill.deletes.revoke import revoke
from remoteiq_etl.backfill.outcomes.open_rows import OpenRows
from remoteiq_etl.backfill.throttle.pacer import Pacer
from remoteiq_etl.backfill.transform.decide import DecideStep
from remoteiq_etl.backfill.transform.lookups import Lookups
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.batch import KEY
from remoteiq_etl.spec.dependencies import in_order, legacy_tables, made_of_the_same, with_dependencies
from remoteiq_etl.spec.table import Derived, Source, TableSpec
from remoteiq_etl.state.map_queries import has_merged
from remoteiq_etl.state.maps import map_of

SQL = statements(__file__)


class DeletePolicy(StrEnum):
    """What is done about rows gone from legacy. Under both, what must not grant anything any more is withdrawn."""

    LIST = "list"
    PROPAGATE = "propagate"


@dataclass
class DeletesReport:
    """What a pass found and did about one table. Grain: one per asset.

    `mapped`: legacy keys that led to a row before; `gone`: keys that legacy does not have now, what an earlier pass
    deleted not counted; the other figures are rows of this pass. `reasons`: why rows are listed. `brake`: why nothing was
    done at all.
    """

    table: str
    mapped: int = 0
    gone: int = 0
    deleted: int = 0
    withdrawn: int = 0
    listed: int = 0
    lives_on: int = 0
    returned: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    brake: str | None = None

    def counts(self) -> Mapping[str, int]:
        """The figures by name."""
        return {
            name: int(getattr(self, name))
            for name in ("mapped", "gone", "deleted", "withdrawn", "listed", "lives_on", "returned")
        }


@dataclass(frozen=True)
class _Read:
    """The complete read of one source of one table, with its keys staged."""

    member: Member
    stage: KeyStage
    figures: DeleteFigures


@dataclass(frozen=True)
class DeletePass:
    """One pass over target tables for rows whose legacy rows are gone: find, record, revoke, and under PROPAGATE delete."""

    run: RunContext
    capture: Capture
    lookups: Lookups
    pacer: Pacer
    open_rows: OpenRows

    def look(
        self, policy: DeletePolicy, *, tables: Collection[str] | None = None, confirmed: Collection[str] = ()
    ) -> dict[str, DeletesReport]:
        """One pass over these tables (assets; default: all).

        What is made of the same legacy rows as these tables is looked at with them, because it goes with them.
        `confirmed` names assets or legacy tables whose losses are wanted, whatever the brake says. Interrupted, it is resumed
        by the next one. Raises FencedError and ConservationError; what was committed stays.
        """
        specs = self.run.plan.specs
        chosen = frozenset(specs) if tables is None else made_of_the_same(specs, frozenset(tables))
        return _Pass(self, policy, chosen, frozenset(confirmed)).execute()


class _Pass:
    def __init__(
        self, steps: DeletePass, policy: DeletePolicy, chosen: frozenset[str], confirmed: frozenset[str]
    ) -> None:
        self.steps = steps
        self.run = run = steps.run
        self.policy = policy
        self.chosen = chosen
        self.confirmed = confirmed
        # A table stands still with those that it depends on: they are read, too.
        read = with_dependencies(run.plan.specs, chosen)
        specs = [spec for spec in in_order(run.plan.specs) if spec.asset in read and self._is_looked_at(spec)]
        self.specs = {spec.asset: run.live_spec(spec.asset) for spec in specs}
        self.reports = {asset: DeletesReport(asset) for asset in self.specs}
        self.unreadable: list[DeleteFigures] = []

    def execute(self) -> dict[str, DeletesReport]:
        self._make_found()
        with self._complete_read() as reads:
            self._guard([*self.unreadable, *(read.figures for read in reads)])
            chosen = [read for read in reads if not self._report(read).brake and read.member.spec.asset in self.chosen]
            self._record(chosen)
        members = [read.member for read in chosen]
        for spec in {member.spec.asset: member.spec for member in members}.values():
            if spec.on_delete is not None and (spec.on_delete.always or self.policy == DeletePolicy.PROPAGATE):
                self.reports[spec.asset].withdrawn = revoke(self.run, spec, spec.on_delete)
        if self.policy == DeletePolicy.PROPAGATE:
            self._delete(members)
        self._count()
        return {asset: report for asset, report in self.reports.items() if asset in self.chosen}

    # --- finding ------------------------------------------------------------------------------------------------

    def _is_looked_at(self, spec: TableSpec) -> bool:
        run = self.run
        return spec.no_source is None and run.has_target(spec.name) and run.state.has_map(run.session, spec.name)

    def _make_found(self) -> None:
        self.run.session.execute(
            "DROP TABLE IF EXISTS gone_found; CREATE TEMPORARY TABLE gone_found (table_name text, legacy_table text,"
            " legacy_key text, new_key text, unit text, state text, silent boolean)"
        )

    @contextmanager
    def _complete_read(self) -> Iterator[list[_Read]]:
        """Read every table, those that are loaded last first; the stages last as long as the block."""
        stages: list[KeyStage] = []
        try:
            yield [read for spec in reversed(self.specs.values()) for read in self._reads(spec, stages)]
        finally:
            for stage in stages:
                key_scan.drop(self.run, stage)

    def _reads(self, spec: TableSpec, stages: list[KeyStage]) -> Iterator[_Read]:
        if reason := self._unreadable(spec):
            self.unreadable.append(DeleteFigures(spec.asset, spec.asset, unreadable=reason))
            return
        streamed = [source for source in spec.sources if isinstance(source, Source)]
        for source in {source.name: source for source in streamed}.values():
            if spec.owned_by is not None:
                stage = key_scan.stage_table(self.run, spec.owned_by, len(stages))
            else:
                stage = key_scan.stage_source(self.run, source, _key_type(spec), len(stages))
            stages.append(stage)
            yield self._found(spec, source.name, stage, stage.rows)
        yield from self._derived(spec, stages)

    def _derived(self, spec: TableSpec, stages: list[KeyStage]) -> Iterator[_Read]:
        sources = [source for source in spec.sources if isinstance(source, Derived)]
        asked = [source for source in sources if not source.lasts and not source.removes]
        rows = DecideStep(self.run, self.steps.capture, self.steps.lookups, spec).derived_now() if asked else {}
        for source in asked:
            if spec.owned_by is not None:
                stage = key_scan.stage_table(self.run, spec.owned_by, len(stages))
            else:
                stage = key_scan.stage_keys(self.run, rows[source.name][KEY], _key_type(spec), len(stages))
            stages.append(stage)
            yield self._found(spec, source.name, stage, None)

    def _found(self, spec: TableSpec, legacy_table: str, stage: KeyStage, rows: int | None) -> _Read:
        member = Member(spec, legacy_table)
        names = {
            **self._names(member),
            "stage": stage.identifier,
            "key": sql.Identifier("legacy_key" if spec.owned_by is None else "owner_key"),
            "derived": sql.Literal(rows is None and spec.owned_by is None),
        }
        self.run.session.execute(SQL["found"].format(**names))
        mapped, gone = self.run.session.rows(SQL["figures"].format(**names))[0]
        report = self.reports[spec.asset]
        report.mapped, report.gone = report.mapped + mapped, report.gone + gone
        return _Read(member, stage, DeleteFigures(spec.asset, legacy_table, rows, mapped, gone))

    # --- the brake ----------------------------------------------------------------------------------------------

    def _unreadable(self, spec: TableSpec) -> str | None:
        """Why not everything that the rows of a table come from can be read; None when it can."""
        if reason := self.run.plan.blocked.get(spec.asset):
            return reason
        reasons = (key_scan.unreadable(self.run, name) for name in sorted(legacy_tables(spec)))
        return next((reason for reason in reasons if reason), None)

    def _guard(self, figures: list[DeleteFigures]) -> None:
        reads = {asset: legacy_tables(spec) for asset, spec in self.specs.items()}
        depends = {asset: spec.dependencies for asset, spec in self.specs.items()}
        for asset, reason in guarded(figures, reads, depends, self.confirmed).items():
            if asset in self.reports:
                self.reports[asset].brake = reason

    def _report(self, read: _Read) -> DeletesReport:
        return self.reports[read.member.spec.asset]

    # --- recording ----------------------------------------------------------------------------------------------

    def _record(self, reads: list[_Read]) -> None:
        session = self.run.session
        session.execute("CREATE INDEX ON gone_found (table_name, legacy_table, legacy_key); ANALYZE gone_found")
        for read in reads:
            names = self._names(read.member)
            with session.transaction():
                self.run.check_fence()
                session.execute(SQL["recorded"].format(**names))
                if has_merged(self.run, read.member.spec):
                    session.execute(SQL["lives_on"].format(**names))
                self._report(read).returned += session.execute(SQL["returned"].format(**names)).rowcount
                session.execute(SQL["archive"].format(**names))
                self._release(read, names)
        # What is deleted next is found in it, row by row where the planner takes it for empty.
        session.execute(sql.SQL("ANALYZE {}").format(self.run.state.name("gone")))

    def _release(self, read: _Read, names: dict[str, sql.Composable]) -> None:
        """Rows that waited and are gone wait no longer; those that became no row are left out no longer.

        An empty table says nothing about them: none of its rows was mapped, so the brake did not see it.
        """
        if read.member.spec.owned_by is not None or not read.figures.legacy_rows:
            return
        if self.steps.open_rows.has_left_out(read.member.spec.name):
            named = {**names, "stage": read.stage.identifier}
            self.run.session.execute(SQL["left_out"].format(**named))
        for waiting in self.steps.open_rows.waiting(read.member.spec.name):
            named = {**names, "stage": read.stage.identifier, "waiting": self.run.state.name(waiting)}
            self.run.session.execute(SQL["waiting"].format(**named))

    # --- deleting -----------------------------------------------------------------------------------------------

    def _delete(self, members: list[Member]) -> None:
        """Group by group: what comes from one legacy table goes together, what is loaded last goes first."""
        order = {asset: number for number, asset in enumerate(self.specs)}
        for group in groups(members, order):
            deletion = Deletion(self.run, group, self.steps.capture)
            while (counts := self._next_batch(deletion)) is not None:
                for (table, verdict), rows in counts.items():
                    self.reports[table].deleted += rows if verdict == FREE else 0

    def _next_batch(self, deletion: Deletion) -> Counter[tuple[str, str]] | None:
        self.steps.pacer.before_batch(TableReport(deletion.members[0].spec.asset))
        return deletion.next_batch()

    def _count(self) -> None:
        """What is open after this pass, by table, outcome and reason."""
        query = sql.SQL(
            "SELECT table_name, outcome, coalesce(reason, 'not asked to delete'), count(*) FROM {gone} WHERE source_id = %s"
            " AND last_run = %s AND returned_run IS NULL AND outcome IN ('listed', 'lives on') GROUP BY 1, 2, 3"
        ).format(gone=self.run.state.name("gone"))
        for table, outcome, reason, rows in self.run.session.rows(query, [self.run.source_record.id, self.run.id]):
            report = self.reports[table]
            if outcome == "lives on":
                report.lives_on += rows
            else:
                report.listed += rows
                report.reasons[reason] += rows

    # --- names --------------------------------------------------------------------------------------------------

    def _names(self, member: Member) -> dict[str, sql.Composable]:
        return {
            **self.run.names(member.spec, member.legacy_table),
            "key_type": sql.SQL(_key_type(member.spec)),
        }


def groups(members: Collection[Member], order: Mapping[str, int]) -> list[list[Member]]:
    """Members by what they go together with: a legacy table, or for derived rows their own table; children first.

    `order`: the place of each asset in the order of loading.
    """
    streamed = {source.name for member in members for source in member.spec.sources if isinstance(source, Source)}
    found: dict[str, list[Member]] = {}
    for member in members:
        name = member.legacy_table if member.legacy_table in streamed else f"{member.spec.asset}, {member.legacy_table}"
        found.setdefault(name, []).append(member)
    ordered = [sorted(group, key=lambda one: -order[one.spec.asset]) for group in found.values()]
    return sorted(ordered, key=lambda group: -order[group[0].spec.asset])


def _key_type(spec: TableSpec) -> str:
    return str(map_of(spec).columns["legacy_key"].type).lower() if spec.owned_by is None else "text"
