"""`verify`: compare every row of the target with what the mapping makes of the legacy database, and say why they differ."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from remoteiq_etl.cli import output, selection
from remoteiq_etl.cli.beginning import begin
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.names import check_names
from remoteiq_etl.cli.run import progress
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle import migration
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.pace import KEPT
from remoteiq_etl.verify.verdicts.model import (
    DATABASE,
    Finding,
    FindingKind,
    Label,
    Status,
    TableVerdict,
    VerificationVerdict,
)

#: Differences in a terminal; --json has all that are kept.
SHOWN = 50
_STYLES = {Label.BUG: "bold red", Label.CHANGED_IN_LEGACY: "yellow", Label.EDITED_IN_TARGET: "yellow"}
_MEANING = {
    "verified": "Verified: the target holds what the mapping makes of the legacy database.",
    "explained": "Verified: every difference is explained.",
    "BUG": "{bugs:,} differences that nothing explains. Do not cut over.",
    "incomplete": "Incomplete: {incomplete} of {tables} tables. Nothing is said of what is not there.",
    "failed": "Not everything could be verified.",
}
_NAMED = "This is about {names} alone. remoteiq-etl verify looks at every table."
_NAMES = 8
QUICK = "A quick look found nothing that is not explained. remoteiq-etl verify compares every column, and keeps the verdict."
INTERRUPTED = f"Interrupted. {KEPT}"


def show(tables: Sequence[str], *, full: bool, quick: bool, as_json: bool, confirmed: Sequence[str] = ()) -> Exit:
    """Verify and print the verdict. FAILED on a BUG, or where a table could not be verified or is not there as a whole."""
    declared = selection.all_tables()
    targets = {table.spec.name for table in declared.values() if table.spec.no_source is None}
    check_names("TABLE", tables, targets)
    check_names("--confirm", confirmed, targets)
    specs = {name: table.spec for name, table in declared.items()}
    with (
        migration.connected(Settings.load(), specs) as both,
        progress.shown(len(tables) or len(targets)) as listener,
    ):
        begin(both)
        both.refuse("verify", beside=True)
        try:
            plan = both.plan()
            verdict = verify(plan, tables or None, full=full, quick=quick, confirmed=confirmed, listener=listener)
        except KeyboardInterrupt:
            output.errors().print(INTERRUPTED, style="yellow")
            return Exit.INTERRUPTED
        finally:
            both.after_verification()
    if as_json:
        output.print_json("verify", verdict.as_json())
    else:
        _print(verdict, output.results(), quick=quick)
    return Exit.DONE if verdict.passed else Exit.FAILED


def _print(verdict: VerificationVerdict, console: Console, *, quick: bool) -> None:
    _print_tables(verdict.tables, console)
    found = [one for table in verdict.tables for one in table.findings if one.label in _STYLES]
    found.sort(key=lambda one: list(Label).index(one.label))
    if found:
        _print_findings(found[:SHOWN], console)
    total = sum(verdict.labels.get(label, 0) for label in _STYLES)
    if total > SHOWN:
        console.print(
            f"{min(SHOWN, len(found)):,} of {total:,} differences. A table's name narrows them, --json has more."
        )
    _print_waiting(verdict, console)
    console.print(conclusion(verdict, quick=quick), style=style_of(verdict))
    if verdict.named:
        console.print(_NAMED.format(names=_listed([one.table for one in verdict.tables])), markup=False)


def conclusion(verdict: VerificationVerdict, *, quick: bool = False) -> str:
    """What the verdict means, in one sentence."""
    if quick and verdict.passed:
        return QUICK
    tables = [one for one in verdict.tables if one.table != DATABASE]
    return _MEANING[verdict.word].format(bugs=verdict.bugs, incomplete=len(verdict.incomplete), tables=len(tables))


def style_of(verdict: VerificationVerdict) -> str:
    """How that sentence looks."""
    return "bold green" if verdict.passed else "bold yellow" if verdict.word == "incomplete" else "bold red"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMES]) + (f" and {len(names) - _NAMES} more" if len(names) > _NAMES else "")


def _print_tables(verdicts: Sequence[TableVerdict], console: Console) -> None:
    table = output.table("Verification")
    table.add_column("table", no_wrap=True)
    for head in ("rows", "seconds"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("differences", overflow="fold")
    for one in verdicts:
        labels = {label.replace("_", " "): count for label, count in one.labels.items()}
        parts = [f"{one.status}: {one.error}" if one.status is Status.INCOMPLETE else one.error, output.listed(labels)]
        said = "; ".join(part for part in parts if part) or "none"
        style = None if one.passed else "yellow" if one.status is Status.INCOMPLETE and not one.bugs else "red"
        table.add_row(one.table, output.number(one.rows_compared), f"{one.seconds:.1f}", escape(said), style=style)
    console.print(table)


def _print_findings(findings: Sequence[Finding], console: Console) -> None:
    table = output.table("Differences")
    table.add_column("label", no_wrap=True)
    for head in ("table", "row", "columns", "why"):
        table.add_column(head, overflow="fold")
    for one in findings:
        place = one.key or (f"{one.legacy_table} {one.legacy_key}" if one.legacy_key else one.legacy_table or "")
        label = f"[{_STYLES[one.label]}]{one.label.replace('_', ' ')}[/]"
        table.add_row(label, one.table, escape(place), escape(", ".join(one.columns)), escape(one.detail))
    console.print(table)


def _print_waiting(verdict: VerificationVerdict, console: Console) -> None:
    waiting = [verdict.labels.get(label, 0) for label in (Label.QUARANTINED, Label.HELD)]
    if any(waiting):
        console.print(f"{waiting[0]:,} rows are quarantined and {waiting[1]:,} held: remoteiq-etl quarantine list.")
    _print_unmanaged(verdict, console)
    failed = [one.table for one in verdict.tables if one.status is Status.FAILED]
    if failed:
        console.print(f"Not verified: {', '.join(failed)}.", style="red", markup=False)


def _print_unmanaged(verdict: VerificationVerdict, console: Console) -> None:
    """Rows that are not ours, by table; before them those that give somebody more."""
    grants = [one for table in verdict.tables for one in table.findings if one.kind is FindingKind.GRANT]
    for one in grants[:SHOWN]:
        console.print(f"Not by us: {one.table} {one.key} {one.detail}.", style="yellow", markup=False)
    if len(grants) > SHOWN:
        console.print(f"{SHOWN} of {len(grants):,} such rows. --json has more.", style="yellow")
    counts = {one.table: one.labels[Label.UNMANAGED] for one in verdict.tables if Label.UNMANAGED in one.labels}
    if counts:
        console.print(f"Rows that somebody else made, and that stay: {output.listed(counts)}.", markup=False)
