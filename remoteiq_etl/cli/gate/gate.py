"""`gate`: the rules of a cut-over, what was accepted, and who approved."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from remoteiq_etl.cli import output, selection
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.gate import gate
from remoteiq_etl.gate.gate import GateState, RuleState
from remoteiq_etl.lifecycle import migration
from remoteiq_etl.lifecycle.migration import Migration

_SPAN = re.compile(r"([1-9]\d{0,3})([hd])")


def show(*, as_json: bool) -> Exit:
    """Print the gate. FAILED while it is closed."""
    with _opened() as both:
        found = gate.status(both)
    _print(found, as_json=as_json)
    return Exit.DONE if found.is_open else Exit.FAILED


def accept(rule: str, items: Sequence[str], reason: str, *, everything: bool) -> Exit:
    """Accept findings of a rule, and say which."""
    if bool(items) == everything:
        raise typer.BadParameter("name what is accepted, or say --all.")
    with _opened() as both:
        chosen = gate.accept(both, rule, items, _given(reason), everything=everything)
    output.results().print(
        f"{len(chosen):,} accepted: {'; '.join(map(str, chosen)) or 'nothing was open'}", markup=False
    )
    return Exit.DONE


def approve(reason: str, until: str, *, needs_second: bool) -> Exit:
    """Approve what there is, and print the gate. FAILED while it is closed all the same, for want of a second person."""
    with _opened() as both:
        found = gate.approve(both, _given(reason), moment(until), needs_second=needs_second)
    _print(found, as_json=False)
    return Exit.DONE if found.is_open else Exit.FAILED


def revoke(reason: str) -> Exit:
    """Take the approval back, and say which it was."""
    with _opened() as both:
        taken = gate.revoke(both, _given(reason))
    output.results().print(f"The gate is closed. Taken back: the approval {taken}.", markup=False)
    return Exit.DONE


def moment(text: str, now: datetime | None = None) -> datetime:
    """A moment as people write it: a span from now, or a date and time, in the zone of this machine where it names none."""
    span = _SPAN.fullmatch(text.strip())
    if span:
        hours = int(span[1]) * (24 if span[2] == "d" else 1)
        return (now or datetime.now(UTC)) + timedelta(hours=hours)
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"--until {text}: expected 8h, 2d, or a moment such as 2031-05-04T06:00+02:00."
        ) from error


def _given(reason: str) -> str:
    if not reason.strip():
        raise typer.BadParameter("--reason: say why.")
    return reason.strip()


@contextmanager
def _opened() -> Iterator[Migration]:
    specs = {name: table.spec for name, table in selection.all_tables().items()}
    with migration.connected(Settings.load(), specs) as both:
        yield both


def _print(found: GateState, *, as_json: bool) -> None:
    if as_json:
        output.print_json("gate status", as_data(found))
        return
    console = output.results()
    output.heading(console, f"The gate is {'open' if found.is_open else 'closed'}")
    console.print(output.add_rows(_table(), map(_row, found.rules)))
    for one in found.blocking:
        console.print(f"{one.rule.name}: {one.rule.todo}", markup=False)
        _accepting(console, one)
    if found.approval is not None:
        console.print(f"Approved {found.approval}.", markup=False)
    if found.closed_by and not found.blocking:
        console.print(f"Closed, because {'; '.join(found.closed_by)}.", style="yellow", markup=False)


def _accepting(console: Console, one: RuleState) -> None:
    if one.rule.can_be_accepted:
        console.print(f'  remoteiq-etl gate accept {one.rule.name} "{one.open[0].name}" --reason …', markup=False)


def _table() -> Table:
    shown = output.table()
    for name in ("rule", "", "what it finds"):
        shown.add_column(name, overflow="fold")
    return shown


def _row(one: RuleState) -> tuple[str, str, str]:
    return escape(one.rule.title), "[green]yes[/]" if one.passes else "[red]no[/]", escape(one.reason)


def as_data(found: GateState) -> dict[str, Any]:
    """The gate for a program."""
    approval = found.approval
    return {
        "open": found.is_open,
        "closed_by": list(found.closed_by),
        "rules": [
            {
                "name": one.rule.name,
                "title": one.rule.title,
                "passes": one.passes,
                "limit": one.limit,
                "open": [vars(item) for item in one.open],
                "accepted": [{**vars(item), "reason": by.reason, "actor": by.actor} for item, by in one.accepted],
                "todo": one.rule.todo,
            }
            for one in found.rules
        ],
        "approval": approval and {name: value for name, value in vars(approval).items() if name != "seen"},
    }
