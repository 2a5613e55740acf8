"""`quarantine list` and `quarantine show`: the rows that could not be carried as they are, and why."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import groupby
from operator import attrgetter

import typer
from rich.console import Console
from rich.markup import escape

from remoteiq_etl.bundled_server import databases as bundled
from remoteiq_etl.cli import output
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.names import check_names
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.operations.overview import Overview
from remoteiq_etl.lifecycle.operations.quarantine import Quarantine, QuarantinedDetail, QuarantinedRow, Selected
from remoteiq_etl.postgres.database import Database
from remoteiq_etl.state.schema import State
from schemas import legacy, target

#: A uuid: most legacy keys stay on one line.
LONGEST_WORD = 36


def show(tables: Sequence[str], rules: Sequence[str], limit: int, *, ignored: bool, as_json: bool) -> Exit:
    """Print the open rows of these tables and rules: those to be mended, or those that are ignored."""
    chosen = selected(tables, rules)
    with opened(Settings.load()) as quarantine:
        every = quarantine.rows(chosen) if quarantine else []
    rows = [row for row in every if (row.ignored_at is not None) == ignored]
    shown = rows[:limit] if limit else rows
    if as_json:
        output.print_json("quarantine list", [vars(row) for row in shown])
        return Exit.DONE
    if rows:
        print_rows(output.results(), shown, len(rows))
    else:
        what = "ignored" if ignored else "in quarantine"
        output.results().print(f"No row {'like this ' if tables or rules else ''}is {what}.")
    if not ignored and len(rows) < len(every):
        output.results().print(
            f"{len(every) - len(rows):,} more are ignored: quarantine list --ignored.", highlight=False
        )
    return Exit.DONE


def show_row(table: str, key: str, *, as_json: bool) -> Exit:
    """Print all that is known of the row of this legacy or target table, for each target table that it cannot reach."""
    with opened(Settings.load()) as quarantine:
        chosen = selected([table], (), (key,), released=True)
        rows = quarantine.details(chosen) if quarantine else []
    if not rows:
        raise typer.BadParameter(
            f"no row of {table} with the legacy key {key!r} was ever in quarantine. remoteiq-etl quarantine list shows those that are."
        )
    if as_json:
        output.print_json("quarantine show", [vars(row) for row in rows])
    else:
        for row in rows:
            _print_row(output.results(), row)
    return Exit.DONE


def selected(
    tables: Sequence[str], rules: Sequence[str], keys: Sequence[str] = (), *, released: bool = False
) -> Selected:
    """The rows that the options of a command name. Raises BadParameter for a table that nothing has."""
    known = {table.name for metadata in (target.metadata, legacy.metadata) for table in metadata.tables.values()}
    check_names("--table", tables, known)
    return Selected(tables, rules, keys, released=released)


@contextmanager
def opened(settings: Settings) -> Iterator[Quarantine | None]:
    """The quarantine of the configured source; None when no run of it ever began."""
    with bundled.databases(settings) as databases:
        database = Database(databases.target, settings.target_schema)
        with closing(database.connect()) as session:
            overview = Overview.of(session, State(database, settings.state_schema), settings.source)
            yield Quarantine(session, overview.state, overview.source_id) if overview else None


def print_rows(console: Console, rows: Sequence[QuarantinedRow], total: int) -> None:
    """Print rows as a table, with where they come from and why they wait."""
    table = output.table()
    table.add_column("legacy row", overflow="fold", width=LONGEST_WORD)
    table.add_column("why", overflow="fold", ratio=1)
    table.add_column("tries", justify="right", no_wrap=True)
    table.add_column("since", no_wrap=True, min_width=10)
    for name, of_table in groupby(rows, key=attrgetter("table")):
        table.add_section()
        table.add_row(f"[bold]{escape(name)}[/]")
        for row in of_table:
            key = row.legacy_key if row.legacy_table == name else f"{row.legacy_table} {row.legacy_key}"
            table.add_row(escape(key), escape(_why(row)), str(row.attempts), f"{row.since.astimezone():%Y-%m-%d}")
    console.print(table)
    if len(rows) < total:
        console.print(f"{len(rows):,} of {total:,} rows. --limit 0 shows all, --table and --rule narrow the list.")
    else:
        console.print(f"{total:,} rows. They are looked at again by every run; mend them in the legacy database.")


def _why(row: QuarantinedRow) -> str:
    word = repr(row.word) if row.word is not None else ""
    reason = ": ".join(part for part in (row.rule, ", ".join(row.columns), word, row.detail) if part)
    return f"{reason} (ignored by {row.ignored_by}: {row.ignored_reason})" if row.ignored_at else reason


def _print_row(console: Console, row: QuarantinedDetail) -> None:
    output.heading(console, f"{row.legacy_table} {row.legacy_key}, for {row.table}")
    state = f"released by run {row.released_run}" if row.released_run else f"since {output.moment(row.since)}"
    facts = {
        "why": _why(row),
        "state": f"{state}, looked at {row.attempts} times, first by run {row.first_run}, last by run {row.last_run}",
    }
    table = output.table()
    for head in ("", "what"):
        table.add_column(head, overflow="fold")
    output.add_rows(table, facts.items())
    output.add_rows(table, ((name, _shown(value)) for name, value in row.row.items()))
    output.add_rows(table, (("earlier", _earlier(entry)) for entry in row.history))
    table.show_header = False
    console.print(table)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _earlier(entry: dict[str, object]) -> str:
    """One earlier reason, as the quarantine keeps it."""
    columns = entry.get("columns")
    named = ", ".join(map(str, columns)) if isinstance(columns, list) else ""
    reason = ": ".join(str(part) for part in (entry.get("rule"), named, entry.get("detail")) if part)
    ended = f", released by run {entry['released_run']}" if "released_run" in entry else ""
    ignored = f", ignored by {entry['ignored_by']}: {entry.get('ignored_reason')}" if "ignored_by" in entry else ""
    return f"until run {entry.get('last_run')}: {reason}{ended}{ignored}"
