"""`fallback`: what goes back to legacy and what does not, as a plan or done, as text or JSON."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from remoteiq_etl.cli import output
from remoteiq_etl.cli.cutover.cutover import opened
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.fallback import fallback, left_behind
from remoteiq_etl.fallback.model import FallBack, LeftBehind

#: Rows that do not go back, in a terminal; JSON and the file have all.
SHOWN = 50


def show_plan(file: Path | None, *, as_json: bool) -> Exit:
    """Print what would go back. ATTENTION when something would not."""
    with opened() as place:
        found = fallback.plan(place)
    if as_json:
        output.print_json("fallback plan", as_plain(found, file))
    return _told(found, file, None if as_json else "What would go back to legacy")


def fall_back(file: Path | None, *, as_json: bool) -> Exit:
    """Carry it back. ATTENTION when something did not go."""
    with opened() as place:
        found = fallback.run(place)
    if as_json:
        output.print_json("fallback run", as_plain(found, file))
    return _told(found, file, None if as_json else "What went back to legacy")


def _told(found: FallBack, file: Path | None, title: str | None) -> Exit:
    """Write the file that was asked for, and show all under a title. ATTENTION when something stays behind."""
    if file is not None:
        left_behind.write(found.conflicts, found.left, file)
    if title is not None:
        _print(output.results(), found, title, file)
    return Exit.DONE if found.is_whole else Exit.ATTENTION


def as_plain(found: FallBack, file: Path | None) -> Mapping[str, Any]:
    """A fall-back for programs: keys and counts, no values."""
    return {
        "cutover": found.cutover,
        "tables": [vars(one) for one in found.tables],
        "conflicts": [vars(left_behind.as_left(one)) for one in found.conflicts],
        "left": [vars(one) for one in found.left],
        "late": found.late,
        "file": file,
    }


def _print(console: Console, found: FallBack, title: str, file: Path | None) -> None:
    table = output.table(title)
    table.add_column("legacy table", no_wrap=True)
    for head in ("inserted", "updated", "deleted", "conflicts"):
        table.add_column(head, justify="right", no_wrap=True)
    for one in found.tables:
        table.add_row(one.table, *map(output.number, (one.inserts, one.updates, one.deletes, one.conflicts)))
    if found.tables:
        console.print(table)
    _print_left(console, [*map(left_behind.as_left, found.conflicts), *found.left])
    for line in _said(found, file):
        console.print(line, markup=False, soft_wrap=True)


def _print_left(console: Console, left: list[LeftBehind]) -> None:
    table = output.table("What does not go back")
    for head in ("table", "key", "why"):
        table.add_column(head, overflow="fold")
    for one in left[:SHOWN]:
        table.add_row(one.table, escape(one.key), escape(one.reason))
    if left:
        console.print(table)
    if len(left) > SHOWN:
        console.print(f"and {len(left) - SHOWN:,} more: --file PATH writes them all.", markup=False)


def _said(found: FallBack, file: Path | None) -> list[str]:
    left = len(found.left) + len(found.conflicts)
    said = [f"{found.rows:,} rows go back, {left:,} do not or not as they are."]
    said += [f"These are in {file}."] if file is not None else []
    said += [f"The next run takes note of what legacy has now ({found.late})."] if found.late else []
    return said
