"""`explain`: what became of a legacy row, and what is behind a target row, as text or JSON.

Belongs here: how an explanation looks. Does not belong here: what is known (remoteiq_etl.lifecycle.explain).
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from remoteiq_etl.bundled_server import databases as bundled
from remoteiq_etl.cli import output, selection
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.names import check_names
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConnectionFailed
from remoteiq_etl.lifecycle.explain import Explainer, Explanation
from remoteiq_etl.lifecycle.explain.model import ColumnFact, LegacyRow, RunFact, TargetRow
from remoteiq_etl.lifecycle.explain.sentences import facts, image, kept, shown
from remoteiq_etl.lifecycle.operations.overview import Overview
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.state.schema import State
from schemas import legacy, target

_HIDDEN = "(secret)"

Runs = Mapping[int, RunFact]


def show(table: str | None, keys: Sequence[str], new: str | None, *, as_json: bool) -> Exit:
    """Print the explanation. FAILED when nothing is known of the row: then it says where it looked and what is like it."""
    if new is None and not (table and keys):
        raise typer.BadParameter("name a table and the key of a row, or --new KEY.")
    with opened(Settings.load()) as explainer:
        if explainer is None:
            output.errors().print("No run of this source has begun yet in this target: nothing is known of any row.")
            return Exit.FAILED
        _check(explainer, table, new)
        found = explainer.of(table or "", keys) if new is None else explainer.of_new([new, *keys], table)
    if as_json:
        output.print_json("explain", asdict(found))
    elif found.found:
        _print(output.results(), found)
    else:
        _print_nothing(found)
    return Exit.DONE if found.found else Exit.FAILED


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Explainer | None]:
    """An explainer of the configured source; None when no run of it ever began."""
    specs = selection.specs()
    with bundled.databases(settings) as databases, contextlib.ExitStack() as stack:
        database = Database(databases.target, settings.target_schema)
        session = stack.enter_context(contextlib.closing(database.connect()))
        overview = Overview.of(session, State(database, settings.state_schema), settings.source)
        if overview is None:
            yield None
            return
        old = _legacy(Database(databases.legacy, settings.legacy_schema, read_only=True), stack)
        yield Explainer(session, overview.state, settings.source, overview.source_id, specs, old)


def _legacy(database: Database, stack: contextlib.ExitStack) -> Session | None:
    """A session on the legacy database; after the cut-over it may be gone, and the rest is told all the same."""
    try:
        return stack.enter_context(contextlib.closing(database.connect()))
    except ConnectionFailed:
        output.errors().print("The legacy database cannot be reached: whether it holds a row is not told.")
        return None


def _check(explainer: Explainer, table: str | None, new: str | None) -> None:
    targets = {one.name for one in target.metadata.tables.values()}
    if table is None or (new is None and explainer.knows(table)):
        return
    known = targets if new is not None else targets | {one.name for one in legacy.metadata.tables.values()}
    check_names("TABLE", [table], known)


def _print_nothing(found: Explanation) -> None:
    console = output.errors()
    console.print(f"Nothing is known of {found.subject}.", style="red", markup=False)
    console.print(f"Looked in {', '.join(found.looked)}, of the source {found.source}.", markup=False, soft_wrap=True)
    if found.near:
        console.print(f"Keys like it: {', '.join(found.near)}", markup=False, soft_wrap=True)


# --- legacy rows ----------------------------------------------------------------------------------------------------


def _print(console: Console, found: Explanation) -> None:
    for row in found.legacy:
        _print_legacy(console, row)
    for one in found.target:
        _print_target(console, one, found.runs)
    if found.runs:
        runs = [(str(run.id), run.status, output.moment(run.started_at)) for run in found.runs.values()]
        _table(console, "Runs that are named", ("run", "status", "started"), runs)


def _print_legacy(console: Console, row: LegacyRow) -> None:
    present = {None: "", True: ", in the legacy database", False: ", not in the legacy database (any more)"}[
        row.present
    ]
    output.heading(console, f"{row.table} {row.key}{present}")
    if not row.known:
        console.print("No run has read this row yet: remoteiq-etl run does.")
    for fact in facts(row):
        console.print(Padding(Text(fact), (0, 0, 0, 2)))
    values = [(name, shown(value)) for name, value in (row.values or {}).items()]
    _table(console, None, ("column", "value in legacy"), values)
    archived = [(one.column, kept(one.value, one.kept), one.rule, str(one.run_id)) for one in row.archive]
    _table(console, "Archived, without a home in the target", ("column", "value", "rule", "run"), archived)
    paths = [(one.column, f"{one.settings_type}: {one.path}", one.outcome) for one in row.settings]
    _table(console, "Settings", ("column", "path", "outcome"), paths)


# --- target rows ----------------------------------------------------------------------------------------------------


def _print_target(console: Console, row: TargetRow, runs: Runs) -> None:
    where = "in the target" if row.present else "not in the target"
    output.heading(console, f"{row.table} {row.key}: {row.origin}, {where}")
    _table(console, None, ("column", "value", "from", "rule"), map(_column, row.columns))
    behind = [(f"{one.legacy_table} {one.legacy_key}", one.state, one.rule, str(one.first_run)) for one in row.behind]
    behind += [(f"{one.legacy_table} {one.legacy_key}", one.outcome, one.rule, str(one.run_id)) for one in row.merged]
    _table(console, "Behind it", ("legacy row", "state", "rule", "run"), behind)
    _table(
        console, "Our writes", ("run", "when", "what", "columns changed, with the value before"), _written(row, runs)
    )
    conflicts = [(one.legacy_key, ", ".join(one.columns), one.reason, one.status) for one in row.conflicts]
    _table(console, "Conflicts (conflicts show has the sides)", ("legacy row", "columns", "why", "status"), conflicts)


def _column(fact: ColumnFact) -> tuple[str, ...]:
    edited = " (edited since we wrote it)" if fact.edited else ""
    value = _HIDDEN if fact.secret else shown(fact.value)
    return (fact.name, f"{value}{edited}", ", ".join(fact.sources), fact.rule or "")


def _written(row: TargetRow, runs: Runs) -> Iterator[tuple[str, ...]]:
    for write in row.writes:
        when = output.moment(runs[write.run_id].started_at) if write.run_id in runs else "-"
        yield str(write.run_id), when, write.operation, image(write)


# --- both -----------------------------------------------------------------------------------------------------------


def _table(console: Console, title: str | None, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table, unless it has no row."""
    found = list(rows)
    if not found:
        return
    table = output.table(escape(title) if title else None)
    for head in heads:
        table.add_column(head, overflow="fold")
    console.print(output.add_rows(table, found))
