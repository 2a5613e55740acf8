"""`deletes list|propagate`: look for rows gone from the legacy database, and deal with them as the policy says."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from remoteiq_etl.backfill.deletes.detect import DeletePolicy, DeletesReport
from remoteiq_etl.cli import output, selection
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.names import check_names
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle import migration
from remoteiq_etl.lifecycle.operations.deletes import DeleteCandidate, delete_pass
from schemas import legacy

#: A uuid: most legacy keys stay on one line.
LONGEST_WORD = 36
#: The list in a terminal; --json has all of it.
SHOWN_ROWS = 200


def show(policy: str, tables: Sequence[str], confirmed: Sequence[str], *, every: bool, as_json: bool) -> Exit:
    """Make one pass and print what it did and what is listed. ATTENTION where the brake held a table or rows are listed."""
    declared = selection.all_tables()
    check_names("--table", tables, declared)
    check_names("--confirm", confirmed, {*declared, *(t.name for t in legacy.metadata.tables.values())})
    specs = {name: table.spec for name, table in declared.items()}
    with migration.connected(Settings.load(), specs) as both:
        reports, rows = delete_pass(both, DeletePolicy(policy), tables=tables or None, confirmed=confirmed)
    shown = [row for row in rows if every or row.outcome == "listed"]
    if as_json:
        output.print_json("deletes", {"policy": policy, "tables": _json(reports), "rows": [vars(row) for row in shown]})
    else:
        _print(reports, shown, output.results())
    return Exit.ATTENTION if any(report.brake or report.listed for report in reports.values()) else Exit.DONE


def _json(reports: Mapping[str, DeletesReport]) -> dict[str, Any]:
    return {
        name: {**report.counts(), "reasons": dict(report.reasons), "brake": report.brake}
        for name, report in reports.items()
    }


def _print(reports: Mapping[str, DeletesReport], rows: Sequence[DeleteCandidate], console: Console) -> None:
    found = [report for report in reports.values() if report.gone or report.returned or report.listed]
    if found:
        _print_counts(found, console)
    else:
        console.print("No row that was migrated is gone from the legacy database.")
    if rows:
        _print_rows(rows[:SHOWN_ROWS], console)
        if len(rows) > SHOWN_ROWS:
            console.print(f"{SHOWN_ROWS:,} of {len(rows):,} rows. --table narrows the list, --json has all of it.")
    _print_brakes(reports.values(), console)


def _print_counts(reports: Collection[DeletesReport], console: Console) -> None:
    table = output.table("Gone from the legacy database")
    heads = ("mapped", "gone", "deleted", "withdrawn", "listed", "lives_on", "returned")
    table.add_column("table", no_wrap=True)
    for head in heads:
        table.add_column(head.replace("_", " "), justify="right", no_wrap=True)
    for report in reports:
        table.add_row(report.table, *(output.number(report.counts()[head]) for head in heads))
    console.print(table)


def _print_rows(rows: Sequence[DeleteCandidate], console: Console) -> None:
    table = output.table()
    table.add_column("table", no_wrap=True)
    table.add_column("legacy row", overflow="fold", width=LONGEST_WORD)
    table.add_column("what became of it", overflow="fold", ratio=1)
    table.add_column("since", no_wrap=True, min_width=10)
    for row in rows:
        key = row.legacy_key if row.legacy_table == row.table else f"{row.legacy_table} {row.legacy_key}"
        table.add_row(row.table, escape(key), escape(_why(row)), f"{row.since.astimezone():%Y-%m-%d}")
    console.print(table)


def _print_brakes(reports: Collection[DeletesReport], console: Console) -> None:
    for report in reports:
        if report.brake:
            console.print(f"{report.table}: nothing was done. {report.brake}", style="yellow", markup=False)


def _why(row: DeleteCandidate) -> str:
    reason = row.reason if row.reason != row.outcome else None
    held_by = f"by {row.holder}" if row.holder else ""
    return " ".join(part for part in (": ".join(filter(None, (row.outcome, reason))), held_by) if part)
