"""`rehearse`: the whole cycle on a scratch target, step by step, and its certificate."""

from rich.console import Console

from remoteiq_etl.cli import output, selection
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.run import progress
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle import migration
from remoteiq_etl.rehearsal import certificate
from remoteiq_etl.rehearsal.certificate import Certificate, StepResult
from remoteiq_etl.rehearsal.cycle import rehearse

_MIB = 2**20


class StepLines:
    """Each step as a line on stderr, when it begins and when it has ended."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def begun(self, step: str) -> None:
        """Name it."""
        self.console.print(f"{step} …", markup=False)

    def ended(self, result: StepResult) -> None:
        """Say what it came to."""
        self.console.print(f"{result.step}: {output.duration(result.seconds)}, {result.said}", markup=False)


def show(*, keep: bool, as_json: bool) -> Exit:
    """Rehearse, keep the certificate, and print it. FAILED when the rehearsal did not pass."""
    settings, specs = Settings.load(), selection.specs()
    with (
        migration.connected(settings, specs) as both,
        progress.shown(len(specs)) as listener,
    ):
        found = rehearse(both, StepLines(output.remarks()), listener, keep=keep)
        is_kept = certificate.keep(found, both)
    path = certificate.write(found, settings.home / "rehearsals")
    if as_json:
        output.print_json("rehearse", {**found.as_json(), "file": str(path), "kept_for_the_gate": is_kept})
    else:
        _print(output.results(), found, str(path), is_kept=is_kept)
    return Exit.DONE if found.passed else Exit.FAILED


def _print(console: Console, found: Certificate, path: str, *, is_kept: bool) -> None:
    output.heading(console, f"The rehearsal {found.verdict}")
    table = output.table()
    for name in ("step", "took", "what it came to"):
        table.add_column(name, overflow="fold")
    console.print(output.add_rows(table, [(one.step, output.duration(one.seconds), one.said) for one in found.steps]))
    for failure in found.failures:
        console.print(f"Failed: {failure}", style="red", markup=False, soft_wrap=True)
    if found.window:
        expected, least, most = map(output.duration, found.window)
        console.print(f"Expected downtime of the cut-over: {expected} ({least} to {most}).", markup=False)
    for lock in found.locks:
        console.print(f"Longest {lock.mode} on {lock.side}: {lock.seconds:g} s, {lock.table}", markup=False)
    written = "" if found.wal_bytes is None else f"WAL written: {found.wal_bytes / _MIB:,.0f} MiB. "
    console.print(
        f"{written}Peak memory: {found.memory_bytes / _MIB:,.0f} MiB. Scratch: {found.scratch}.", markup=False
    )
    console.print(f"Certificate: {path}", markup=False, soft_wrap=True)
    if not is_kept:
        console.print("The target is not prepared yet, so the gate does not know of it.", style="yellow", markup=False)
