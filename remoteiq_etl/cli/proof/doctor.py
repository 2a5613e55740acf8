"""`doctor`: what stands in the way of a run, before it begins."""

from collections.abc import Sequence

import typer
from rich.console import Console

from remoteiq_etl.cli import checkups_shown, output, selection
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle import migration
from remoteiq_etl.lifecycle.drift.differences import DifferenceKind
from remoteiq_etl.lifecycle.drift.findings import CheckStatus, Checkup
from remoteiq_etl.lifecycle.rights import rights_script


def show(*, as_json: bool) -> Exit:
    """Look at both databases and print what was found. FAILED when something blocks."""
    settings = Settings.load()
    specs = selection.specs()
    with migration.connected(settings, specs) as both:
        checkups = both.checkups(trial=True)
    if as_json:
        output.print_json("doctor", checkups_shown.as_json(checkups))
    else:
        _print(output.results(), checkups, settings)
    return Exit.FAILED if any(checkup.blocks for checkup in checkups) else Exit.DONE


def show_rights() -> Exit:
    """Print the SQL of the roles on stdout."""
    typer.echo(str(rights_script(Settings.load())), nl=False)
    return Exit.DONE


def _print(console: Console, checkups: Sequence[Checkup], settings: Settings) -> None:
    checkups_shown.show(console, checkups)
    _print_verdict(console, checkups)
    if settings.legacy_url is None and any(_is_empty(checkup) for checkup in checkups):
        console.print(
            "No legacy database is configured and the bundled one is empty: remoteiq-etl demo fills it with examples,"
            " REMOTEIQ_LEGACY_URL names a real one."
        )


def _print_verdict(console: Console, checkups: Sequence[Checkup]) -> None:
    blocking = sum(
        sum(one.verdict is CheckStatus.BLOCKS for one in checkup.findings)
        + len(checkup.drift.blocking if checkup.drift else ())
        for checkup in checkups
    )
    if blocking:
        console.print(f"{blocking} of these block a run.", style="bold red")
    else:
        console.print("Nothing blocks a run. remoteiq-etl plan shows what it would do.", style="bold green")


def _is_empty(checkup: Checkup) -> bool:
    drifts = checkup.drift.drifts if checkup.drift and checkup.side == "legacy" else ()
    return any(drift.kind in (DifferenceKind.EMPTY_SCHEMA, DifferenceKind.MISSING_SCHEMA) for drift in drifts)
