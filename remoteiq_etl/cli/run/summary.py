"""What a run did, or would do: per table the rows read and what became of them.

Belongs here: the summary as a table, as JSON and as an exit code. Does not belong here: the account itself
(`remoteiq_etl.backfill.context.report`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from remoteiq_etl.backfill.context.report import Ledger, TableReport
from remoteiq_etl.cli import output
from remoteiq_etl.cli.exit_codes import Exit

Reports = Mapping[str, TableReport]

HEADS: Mapping[Ledger, str] = {
    Ledger.INSERTED: "inserted",
    Ledger.ADOPTED: "adopted",
    Ledger.UPDATED: "updated",
    Ledger.UNCHANGED: "unchanged",
    Ledger.CONFLICT: "conflicts",
    Ledger.MERGED: "merged",
    Ledger.DELETED: "deleted",
    Ledger.FILTERED: "filtered",
    Ledger.ARCHIVED: "archived",
    Ledger.QUARANTINED: "quarantined",
    Ledger.HELD: "held",
}
"""Column heads for the outcomes of the conservation law."""

_STYLES = {Ledger.CONFLICT: "yellow", Ledger.QUARANTINED: "yellow", Ledger.HELD: "yellow", Ledger.DELETED: "yellow"}
_ENDLESS = 10_000
_ALWAYS = (Ledger.INSERTED, Ledger.UPDATED, Ledger.UNCHANGED)


def show(reports: Reports, console: Console, *, title: str) -> None:
    """Print the summary in the widest form that fits."""
    busy = [report for report in reports.values() if report.read or report.removed]
    if busy:
        wide = _wide(busy, title)
        # Measured without the console's own limit, which would make everything fit.
        fits = Measurement.get(console, console.options.update(max_width=_ENDLESS), wide).maximum <= console.width
        console.print(wide if fits else _narrow(busy, title))
    _show_idle([report for report in reports.values() if report not in busy and not report.blocked], console)
    _show_readings(busy, console)
    _show_remarks(busy, console)
    for report in reports.values():
        if report.blocked:
            console.print(f"Not loaded: {report.table}: {report.blocked}", style="red", markup=False, soft_wrap=True)


def exit_code(reports: Reports) -> Exit:
    """DONE, ATTENTION when rows are quarantined or held, FAILED when a table is blocked."""
    if any(report.blocked for report in reports.values()):
        return Exit.FAILED
    return Exit.ATTENTION if any(report.needs_attention for report in reports.values()) else Exit.DONE


def as_json(reports: Reports) -> dict[str, Any]:
    """The summary for a program: per table the counts, the rules behind them, and how long it took."""
    return {name: _table_json(report) for name, report in reports.items()}


def total(reports: Reports, outcome: Ledger) -> int:
    """Rows of one outcome over all tables."""
    return sum(report.total(outcome) for report in reports.values())


def total_waited(reports: Iterable[TableReport]) -> dict[str, float]:
    """Seconds that each signal, or a pause, made the run wait, the longest first."""
    seconds: dict[str, float] = {}
    for report in reports:
        for name, value in report.waited.items():
            seconds[name] = seconds.get(name, 0.0) + value
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def _table_json(report: TableReport) -> dict[str, Any]:
    return {
        **report.counts(),
        "blocked": report.blocked,
        "removed": report.removed,
        "found_late": report.found_late,
        "rows_in_target": report.rows_in_target,
        "seconds": round(report.seconds, 3),
        "rows_per_second": round(report.rows_per_second),
        "bytes": report.bytes,
        "rules": {name: account.rules_by_outcome() for name, account in report.accounts.items() if account.rules},
        "remarks": dict(report.warnings),
        "words": {name: dict(counts) for name, counts in report.words.items()},
        "new_words": report.new_words,
        "waited": {name: round(value, 3) for name, value in report.waited.items()},
    }


def _wide(reports: list[TableReport], title: str) -> Table:
    """One column per outcome that occurs."""
    table = output.table(title)
    table.add_column("table", footer="all", no_wrap=True)
    outcomes = [outcome for outcome in Ledger if outcome in _ALWAYS or any(report.total(outcome) for report in reports)]
    columns: list[tuple[str, str | None, Callable[[TableReport], float]]] = [("read", None, lambda report: report.read)]
    columns += [(HEADS[outcome], _STYLES.get(outcome), _of(outcome)) for outcome in outcomes]
    if any(report.removed for report in reports):
        columns.append(("removed", None, lambda report: report.removed))
    for head, style, value in columns:
        table.add_column(
            head, footer=output.number(sum(map(value, reports))), justify="right", style=style, no_wrap=True
        )
    table.add_column("rows/s", justify="right", style="dim", no_wrap=True)
    table.show_footer = len(reports) > 1
    for report in reports:
        values = [value(report) for _, _, value in columns]
        table.add_row(report.table, *map(output.number, values), output.number(report.rows_per_second))
    return table


def _of(outcome: Ledger) -> Callable[[TableReport], float]:
    return lambda report: report.total(outcome)


def _narrow(reports: list[TableReport], title: str) -> Table:
    """What became of the rows in words, which fold."""
    table = output.table(title)
    table.add_column("table", no_wrap=True)
    table.add_column("read", justify="right", no_wrap=True)
    table.add_column("what became of the rows", ratio=1)
    table.add_column("rows/s", justify="right", style="dim", no_wrap=True)
    for report in reports:
        counts = [f"{report.total(outcome):,} {HEADS[outcome]}" for outcome in Ledger if report.total(outcome)]
        removed = [f"{report.removed:,} removed"] if report.removed else []
        words = ", ".join([*counts, *removed])
        table.add_row(report.table, output.number(report.read), words, output.number(report.rows_per_second))
    return table


def _show_idle(reports: list[TableReport], console: Console) -> None:
    """Tables of which nothing was read: counted where nothing changed, named where there is nothing to read."""
    empty = sorted(report.table for report in reports if not report.unchanged)
    if unchanged := len(reports) - len(empty):
        console.print(f"Nothing changed in {unchanged} {'table' if unchanged == 1 else 'tables'}.", style="dim")
    if empty:
        console.print(f"Without legacy rows: {', '.join(empty)}.", style="dim", markup=False)


def _show_readings(reports: list[TableReport], console: Console) -> None:
    """Which tables were read as a whole or in part, and why."""
    tables: dict[str, list[str]] = {}
    for report in reports:
        if report.reading:
            tables.setdefault(report.reading, []).append(report.table)
    for reading, names in tables.items():
        named = "all of them" if len(names) == len(reports) > 1 else ", ".join(names)
        console.print(f"Read {reading}: {named}.", style="dim", markup=False)


def _show_remarks(reports: list[TableReport], console: Console) -> None:
    remarks = sum((report.warnings for report in reports), Counter[str]())
    if remarks:
        console.print(f"Carried with a remark: {output.listed(remarks)}.", style="dim", markup=False)
    if waited := total_waited(reports):
        texts = (f"{output.duration(seconds)} for {name}" for name, seconds in waited.items())
        console.print(f"Waited {', '.join(texts)}.", style="dim", markup=False)
