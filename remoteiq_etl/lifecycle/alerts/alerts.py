"""Alerts: what a person is told of a run, one per run and kind. Counts and names, never a value of a row.

Belongs here: what is worth an alert, and its words. Does not belong here: sending (see alert_channels), settings
(remoteiq_etl.config.alerts).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.config.alerts import Alerting, AlertKind
from remoteiq_etl.errors import LockedError, SourcePaused, StopRequested
from remoteiq_etl.lifecycle.alerts.channels import deliver
from remoteiq_etl.postgres.errors.failures import describe
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)

#: Ends that somebody wanted, or that the next run makes good by itself.
EXPECTED = (LockedError, SourcePaused, StopRequested)
_WHERE_TO_LOOK: Mapping[AlertKind, str] = {
    AlertKind.FAILURE: "Every batch that was committed is kept; the next run goes on from there. remoteiq-etl status shows the runs.",
    AlertKind.BRAKE: "Nothing was done about these rows. remoteiq-etl deletes list shows them; --confirm lets it be done.",
    AlertKind.CONFLICT: "remoteiq-etl conflicts list shows both sides, conflicts resolve decides.",
    AlertKind.QUARANTINE: "remoteiq-etl quarantine list shows which rows and why.",
    AlertKind.GATE_CLOSED: "remoteiq-etl gate status shows every rule and what mends it.",
    AlertKind.LEGACY_WRITTEN: "The new application does not know of it. Find who still uses the old one (pg_stat_activity).",
}
_WORDS: Mapping[AlertKind, str] = {
    AlertKind.CONFLICT: "{new:,} new conflicts, {waiting:,} open",
    AlertKind.QUARANTINE: "{new:,} more rows in quarantine, {waiting:,} in all",
}


#: Told by a sensor, and about no run.
_OF_NO_RUN = frozenset({AlertKind.LEGACY_WRITTEN, AlertKind.GATE_CLOSED})


@dataclass(frozen=True)
class Alert:
    """One thing that a person should know. `counts`: by table, for programs; `run`: None where none could be opened."""

    kind: AlertKind
    source: str
    title: str
    lines: Sequence[str]
    run: int | None = None
    orchestrator_run_id: str | None = None
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """The alert in one line."""
        return f"[remoteiq-etl] {self.source}: {self.title}"

    @property
    def text(self) -> str:
        """The alert in full, without its title."""
        which = f"Run {self.run}" if self.run is not None else "No run was opened"
        dagster = f", Dagster run {self.orchestrator_run_id}" if self.orchestrator_run_id else ""
        about = [] if self.kind in _OF_NO_RUN else [f"{which}{dagster}."]
        return "\n".join([*self.lines, "", *about, _WHERE_TO_LOOK[self.kind]])

    @property
    def facts(self) -> dict[str, object]:
        """The alert for a program."""
        return {
            "kind": str(self.kind),
            "source": self.source,
            "title": self.title,
            "run": self.run,
            "orchestrator_run_id": self.orchestrator_run_id,
            "tables": {table: dict(counts) for table, counts in self.counts.items()},
        }


def send(alerting: Alerting, alert: Alert) -> list[str]:
    """Send an alert, unless nobody wants its kind. Returns a warning for each channel that failed; raises nothing for it."""
    return deliver(alerting, alert.subject, alert.text, alert.facts) if alert.kind in alerting.on else []


def of_failure(source: str, error: BaseException, run: int | None, orchestrator_run_id: str | None) -> list[Alert]:
    """The alert about a run that failed; none where the end was wanted or is made good by the next run."""
    if isinstance(error, EXPECTED) or not isinstance(error, Exception):
        return []
    return [Alert(AlertKind.FAILURE, source, "a run failed", [describe(error)], run, orchestrator_run_id)]


def of_lost_run(source: str, text: str, orchestrator_run_id: str) -> Alert:
    """The alert about a run whose process is gone, so that it could say nothing itself."""
    return Alert(AlertKind.FAILURE, source, "a run ended without a word", [text], None, orchestrator_run_id)


def of_guard(source: str, reasons: Mapping[str, str], run: int, orchestrator_run_id: str | None) -> list[Alert]:
    """The alert about tables (by asset, with the reason) that have lost suspiciously many rows."""
    if not reasons:
        return []
    title = f"the brake holds {', '.join(sorted(reasons))}"
    lines = [f"{table}: {reason}" for table, reason in sorted(reasons.items())]
    return [Alert(AlertKind.BRAKE, source, title, lines, run, orchestrator_run_id)]


def of_legacy_writes(source: str, lines: Sequence[str], rows: Mapping[str, int]) -> Alert:
    """The alert about legacy tables that were written after the cut-over; `rows`: those that are new or changed, by table."""
    counts = {table: {"written": number} for table, number in rows.items()}
    title = "the legacy database was written after the cut-over"
    return Alert(AlertKind.LEGACY_WRITTEN, source, title, lines, counts=counts)


def of_closed_gate(source: str, reasons: Sequence[str]) -> Alert:
    """The alert about a gate that was open and has closed; `reasons`: why."""
    return Alert(AlertKind.GATE_CLOSED, source, "the gate of the cut-over has closed", list(reasons))


def of_waiting_rows(run: RunContext) -> Iterator[Alert]:
    """The alerts about rows that this run was the first to stop: conflicts, and rows in quarantine."""
    query = SQL["alert_counts"].format(quarantine=run.state.name("quarantine"), conflicts=run.state.name("conflicts"))
    counts: dict[AlertKind, dict[str, dict[str, int]]] = {}
    for kind, table, new, waiting in run.session.rows(query, {"run_id": run.id, "source_id": run.source_record.id}):
        counts.setdefault(AlertKind(kind), {})[table] = {"new": new, "waiting": waiting}
    for kind, tables in counts.items():
        total = {name: sum(of_table[name] for of_table in tables.values()) for name in ("new", "waiting")}
        lines = [f"{table}: {_WORDS[kind].format(**of_table)}" for table, of_table in tables.items()]
        yield Alert(
            kind,
            run.source_record.name,
            _WORDS[kind].format(**total),
            lines,
            run.id,
            run.plan.orchestrator_run_id,
            tables,
        )
