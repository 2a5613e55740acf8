"""`prepare`: look at both databases, then create what the target lacks; or the same as a script, or its way back."""

from collections.abc import Sequence

import typer
from rich.console import Console

from remoteiq_etl.cli import checkups_shown, output, selection
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle import migration
from remoteiq_etl.lifecycle.drift.findings import Checkup
from remoteiq_etl.lifecycle.target.prepare import PreparedTarget
from remoteiq_etl.lifecycle.target.steps import staged

_NAMES = 6


def show(*, as_json: bool) -> Exit:
    """Prepare, and print what was made. FAILED, with what was found, when something stands in the way; nothing is made then."""
    with migration.connected(Settings.load(), selection.specs()) as both:
        checkups = both.checkups()
        prepared = None if any(one.stopping for one in checkups) else _prepared(both)
    if as_json:
        found = checkups_shown.as_json(checkups)
        output.print_json("prepare", {**found, "prepared": prepared and _json(prepared)})
    elif prepared is None:
        checkups_shown.show(output.results(), checkups)
        output.errors().print("The target was not prepared: what blocks stands above.", style="red")
    else:
        _print(output.results(), prepared)
    return Exit.FAILED if prepared is None else Exit.DONE


def show_script() -> Exit:
    """Print the SQL of prepare on stdout; what was found and would block it, on stderr. No right to write is needed."""
    with migration.connected(Settings.load(), selection.specs()) as both:
        checkups = both.checkups()
        with staged(both.target, both.settings) as place:
            script = place.prepare_script()
    _warn(checkups)
    typer.echo(str(script), nl=False)
    return Exit.DONE


def take_back() -> Exit:
    """Drop what prepare made."""
    with migration.connected(Settings.load(), selection.specs()) as both, staged(both.target, both.settings) as place:
        dropped = place.take_back()
    output.results().print(f"{len(dropped)} empty tables were dropped. The migration is not prepared any more.")
    return Exit.DONE


def _prepared(both: migration.Migration) -> PreparedTarget:
    with staged(both.target, both.settings) as place:
        return place.prepare()


def _warn(checkups: Sequence[Checkup]) -> None:
    console = output.errors()
    for one in checkups:
        for text in one.stopping:
            console.print(f"{one.side}: {text}", style="yellow", markup=False, soft_wrap=True)


def _json(prepared: PreparedTarget) -> dict[str, object]:
    return {**vars(prepared), "drifts": [str(drift) for drift in prepared.drifts]}


def _print(console: Console, prepared: PreparedTarget) -> None:
    made = [
        f"{len(prepared.created)} tables created",
        f"{len(prepared.enums)} enum types",
        *([f"extensions {', '.join(prepared.extensions)}"] if prepared.extensions else []),
    ]
    console.print(f"The target is prepared: {', '.join(made)}.", markup=False)
    if prepared.existing:
        console.print(
            f"{len(prepared.existing)} tables were there already ({_few(prepared.existing)}); they keep everything they have.",
            markup=False,
        )
    for drift in prepared.drifts:
        console.print(f"  {drift}", markup=False, soft_wrap=True)
    if prepared.without_trigger:
        console.print(f"Without the trigger of updated_at: {_few(prepared.without_trigger)}.", markup=False)
    if prepared.left_out:
        console.print(f"{len(prepared.left_out)} foreign keys and indexes come after the load.", markup=False)
    console.print("Next: remoteiq-etl run. Back: remoteiq-etl prepare --back.", markup=False)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMES]) + (f" and {len(names) - _NAMES} more" if len(names) > _NAMES else "")
