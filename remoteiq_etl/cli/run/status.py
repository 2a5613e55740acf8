"""`status`: where the migration stands, the last runs of the source, and per table what is mapped and what waits."""

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from remoteiq_etl.bundled_server import databases as bundled
from remoteiq_etl.cli import output
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.stages import shown as stages
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.operations.overview import Overview, RunRow, TableRow
from remoteiq_etl.lifecycle.operations.sizes import PartSize, sizes
from remoteiq_etl.lifecycle.stages.missing import StageFacts
from remoteiq_etl.orchestration.runtime.home import bytes_in, dagster_home
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.state.orders import Orders
from remoteiq_etl.state.schema import State
from remoteiq_etl.verify.expected.expectation import expectations
from remoteiq_etl.verify.incremental.freshness import Fresh, Freshness, freshness


def show(
    limit: int, declared: Callable[[], Collection[str]], *, count_changes: bool, measure: bool, as_json: bool
) -> Exit:
    """Print the state of the source. Before the first run it says so.

    `declared`: the assets that have a source; `count_changes`: count also in the legacy database;
    `measure`: say what the migration takes up.
    """
    settings = Settings.load()
    with bundled.databases(settings) as databases, contextlib.ExitStack() as stack:
        target = Database(databases.target, settings.target_schema)
        session = stack.enter_context(contextlib.closing(target.connect()))
        overview = Overview.of(session, State(target, settings.state_schema), settings.source)
        legacy = None
        if count_changes:
            source = Database(databases.legacy, settings.legacy_schema, read_only=True)
            legacy = stack.enter_context(contextlib.closing(source.connect()))
        runs, tables = (overview.runs(limit), overview.tables(legacy)) if overview else ([], [])
        orders = overview.orders() if overview else Orders()
        verdicts = _freshness(overview, legacy) if overview else {}
        parts = sizes(overview.session, overview.state, overview.source_id) if overview and measure else []
        standing = _standing(overview, declared, verdicts.values()) if overview else StageFacts()
    home = dagster_home(settings)
    touched = {row.name: verdicts[row.name] for row in tables if row.name in verdicts}
    if as_json:
        found = _json(settings.source, orders, runs, tables, {name: vars(one) for name, one in touched.items()})
        output.print_json(
            "status",
            {
                "state": stages.as_json(standing),
                **found,
                "sizes": [vars(one) for one in parts],
                "dagster": {"home": str(home), "bytes": bytes_in(home)},
            },
        )
        return Exit.DONE
    stages.show(output.results(), settings.source, standing)
    _print(output.results(), settings.source, orders, runs, tables)
    if not runs and settings.legacy_url is None:
        output.results().print(
            "No legacy database is configured: remoteiq-etl demo fills the bundled one with examples."
        )
    _print_verdicts(output.results(), touched.values())
    _print_sizes(output.results(), parts)
    _print_size(output.results(), home)
    return Exit.DONE


def _freshness(overview: Overview, legacy: Session | None) -> dict[str, Fresh]:
    """How fresh the verdict of each table is."""
    known = sorted({expectation.target for expectation in expectations()})
    found = freshness(overview.session, overview.state, overview.source_id, known, legacy)
    return {one.table: one for one in found}


def _standing(overview: Overview, declared: Callable[[], Collection[str]], verdicts: Collection[Fresh]) -> StageFacts:
    return stages.read(overview.session, overview.state, overview.source_id, declared, verdicts)


def _json(
    source: str,
    orders: Orders,
    runs: Sequence[RunRow],
    tables: Sequence[TableRow],
    verdicts: Mapping[str, dict[str, Any]],
) -> dict[str, Any]:
    return {
        "source": source,
        "pause": orders.pause and vars(orders.pause),
        "stop": orders.stop and vars(orders.stop),
        "runs": [vars(run) for run in runs],
        "tables": [{**vars(table), "verification": verdicts.get(table.name)} for table in tables],
    }


def _print(console: Console, source: str, orders: Orders, runs: Sequence[RunRow], tables: Sequence[TableRow]) -> None:
    if orders.pause is not None:
        text = f"Paused {orders.pause}. remoteiq-etl resume lets runs go on."
        console.print(text, style="yellow", markup=False)
    if runs:
        _print_runs(console, source, runs)
    elif not tables:
        console.print(
            f"No run of the source {source!r} has begun yet in this target. remoteiq-etl doctor looks at both"
            " databases, remoteiq-etl plan shows what a run would do.",
            markup=False,
        )
    if tables:
        _print_tables(console, tables)
    _print_quarantine(console, tables)


def _print_verdicts(console: Console, verdicts: Collection[Fresh]) -> None:
    """One line: how many tables are verified, and which are not or not any more."""
    by_word = {word: [one.table for one in verdicts if one.freshness is word] for word in Freshness}
    said = [f"{len(tables)} {word}" for word, tables in by_word.items() if tables]
    if said:
        named = [*by_word[Freshness.FAILED], *by_word[Freshness.INCOMPLETE], *by_word[Freshness.STALE]]
        which = f" ({', '.join(named[:_NAMED])}{', …' if len(named) > _NAMED else ''})" if named else ""
        console.print(f"Verification of {len(verdicts)} tables: {', '.join(said)}{which}.", markup=False)
    if bugs := sum(one.bugs for one in verdicts):
        console.print(
            f"{bugs:,} differences that nothing explains: remoteiq-etl verify", style="bold red", markup=False
        )


def _print_quarantine(console: Console, tables: Sequence[TableRow]) -> None:
    waiting, ignored = sum(one.quarantined for one in tables), sum(one.ignored for one in tables)
    if waiting:
        accepted = f", {ignored:,} of them ignored" if ignored else ""
        console.print(f"{waiting:,} rows in quarantine{accepted}: remoteiq-etl quarantine list")


def _print_sizes(console: Console, parts: Sequence[PartSize]) -> None:
    if not parts:
        return
    table = output.table("Room that the migration takes in the target")
    table.add_column("part", no_wrap=True)
    for head in ("tables", "MB", "bytes per legacy row"):
        table.add_column(head, justify="right", no_wrap=True)
    for one in parts:
        table.add_row(one.part, str(one.tables), f"{one.bytes / 1e6:,.1f}", output.number(one.per_row or 0))
    console.print(table)


def _print_size(console: Console, home: Path) -> None:
    """How much room Dagster's records take, and what to do when it is much."""
    size = bytes_in(home)
    if size:
        console.print(f"Dagster's records of runs take {size / 1e6:,.1f} MB.", markup=False)
    if size > _MUCH:
        console.print(
            "remoteiq-etl prune deletes those of old runs, as [retention] says.", style="yellow", markup=False
        )


def _print_runs(console: Console, source: str, runs: Sequence[RunRow]) -> None:
    table = output.table(f"Runs of the source {source}")
    table.add_column("run", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for head in ("started", "duration"):
        table.add_column(head, no_wrap=True)
    for head in ("tables", "rows read"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("Dagster", no_wrap=True)
    table.add_column("ended by", overflow="fold")
    for run in runs:
        facts = [output.moment(run.started_at), output.duration(run.seconds)]
        counts = [output.number(run.tables), output.number(run.rows_read)]
        ended = escape(run.error or "")
        table.add_row(
            str(run.id), output.styled(run.status), *facts, *counts, (run.orchestrator_run_id or "-")[:8], ended
        )
    console.print(table)


def _print_tables(console: Console, rows: Sequence[TableRow]) -> None:
    """One line per table; a column that would say nothing of any table is left out, and some where there is no room."""
    now = datetime.now(UTC)
    heads = [head for head, value in _COLUMNS.items() if head in _ALWAYS or any(map(_said(value, now), rows))]
    for spared in ((), _SPARED[:1], _SPARED[:2], _SPARED):
        table = _tables([head for head in heads if head not in spared], rows, now)
        # Measured without the console's own limit, which would make everything fit.
        if Measurement.get(console, console.options.update(max_width=_ENDLESS), table).maximum <= console.width:
            break
    console.print(table)


def _tables(heads: Sequence[str], rows: Sequence[TableRow], now: datetime) -> Table:
    table = output.table("Tables")
    table.add_column("table", no_wrap=True)
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True, style="yellow" if head in _OPEN else None)
    for row in rows:
        table.add_row(row.name, *(_COLUMNS[head](row, now) for head in heads))
    return table


def _said(value: Callable[[TableRow, datetime], str], now: datetime) -> Callable[[TableRow], bool]:
    return lambda row: value(row, now) != "-"


def _age(moment: datetime | None, now: datetime) -> str:
    return output.age(None if moment is None else (now - moment).total_seconds())


_COLUMNS: Mapping[str, Callable[[TableRow, datetime], str]] = {
    "run": lambda row, _: str(row.last_run or "-"),
    "behind": lambda row, _: output.age(row.behind),
    "changed": lambda row, _: "-" if row.changed is None else f"{row.changed:,}",
    "full": lambda row, now: _age(row.full_pass_at, now),
    "swept": lambda row, now: _age(row.swept_at, now),
    "mapped": lambda row, _: output.number(row.mapped),
    "quarantined": lambda row, _: output.number(row.quarantined),
    "oldest": lambda row, now: _age(row.oldest_quarantined_at, now),
    "held": lambda row, _: output.number(row.held),
    "conflicts": lambda row, _: output.number(row.conflicts),
}
"""Heads and texts. `behind`: age of the snapshot that was last read to the end; `full`, `swept`: time since then."""

_ALWAYS = ("run", "behind", "mapped", "quarantined", "held", "conflicts")
_SPARED = ("run", "swept", "full")
_ENDLESS = 10_000
_MUCH = 2 * 10**9
"""Bytes of Dagster's records that are worth a word: a month of runs every 15 minutes takes less where most change little."""
_NAMED = 8
_OPEN = ("quarantined", "oldest", "held", "conflicts")
