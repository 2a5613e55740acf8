"""What was found of both databases, as text and as JSON: for doctor, and for commands that look first.

Belongs here: how findings and differences look. Does not belong here: looking.
"""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from remoteiq_etl.cli import output
from remoteiq_etl.lifecycle.drift.differences import DifferenceKind
from remoteiq_etl.lifecycle.drift.findings import CheckStatus, Checkup
from remoteiq_etl.lifecycle.drift.report import Drift, DriftReport


def as_json(checkups: Sequence[Checkup]) -> dict[str, object]:
    """What was found, for a program."""
    return {"blocks": any(one.blocks for one in checkups), **{one.side: _json(one) for one in checkups}}


def _json(checkup: Checkup) -> dict[str, object]:
    return {
        "blocks": checkup.blocks,
        "findings": [
            {"subject": one.subject, "found": one.found, "verdict": one.verdict, "advice": one.advice}
            for one in checkup.findings
        ],
        "differences": checkup.drift.as_rows() if checkup.drift else None,
    }


def show(console: Console, checkups: Sequence[Checkup]) -> None:
    """Print what was looked at, and where the schemas differ from what is expected."""
    _print_findings(console, checkups)
    for checkup in checkups:
        if checkup.drift is not None:
            _print_drift(console, checkup.drift)


def _print_findings(console: Console, checkups: Sequence[Checkup]) -> None:
    table = output.table()
    table.add_column("database", no_wrap=True)
    table.add_column("looked at", min_width=12)
    table.add_column("found", ratio=2, overflow="fold")
    table.add_column("verdict", no_wrap=True)
    table.add_column("what to do", ratio=2)
    for checkup in checkups:
        for one in checkup.findings:
            verdict = output.styled(one.verdict)
            table.add_row(checkup.side, escape(one.subject), escape(one.found), verdict, escape(one.advice))
        table.add_section()
    console.print(table)


def _print_drift(console: Console, report: DriftReport) -> None:
    if not report.drifts:
        console.print(f"The {report.side} schema {report.schema} is as expected.\n", markup=False)
        return
    table = output.table(f"Where the {report.side} schema {escape(report.schema)} differs from what is expected")
    table.add_column("difference", ratio=2)
    table.add_column("where", ratio=4, overflow="fold")
    table.add_column("what it means", ratio=5, overflow="fold")
    for drift in report.blocking:
        verdict = f"{output.styled(CheckStatus.BLOCKS)} {drift.scope}"
        table.add_row(f"{drift.kind.replace('_', ' ')}, {verdict}", _place(drift), _reason(drift))
    for drift in report.drifts:
        if drift.warns and not drift.blocks:
            kind = f"{drift.kind.replace('_', ' ')}, {output.styled(CheckStatus.WARNS)}"
            table.add_row(kind, _place(drift), _reason(drift))
    for kind, drifts in _harmless(report).items():
        table.add_row(kind.replace("_", " "), _places(drifts), _reasons(drifts))
    console.print(table)


def _harmless(report: DriftReport) -> dict[DifferenceKind, list[Drift]]:
    """What blocks nothing and no run warns of, by kind: a database that lost its foreign keys lost dozens."""
    kinds: dict[DifferenceKind, list[Drift]] = {}
    for drift in report.drifts:
        if not drift.blocks and not drift.warns:
            kinds.setdefault(drift.kind, []).append(drift)
    return kinds


def _place(drift: Drift) -> str:
    sides = " → ".join(part for part in (drift.expected, drift.found) if part)
    return escape(": ".join(part for part in (drift.where, sides) if part))


def _places(drifts: list[Drift]) -> str:
    return _place(drifts[0]) if len(drifts) == 1 else escape(", ".join(drift.where for drift in drifts))


def _reason(drift: Drift) -> str:
    return escape(drift.reason)


def _reasons(drifts: list[Drift]) -> str:
    return _reason(drifts[0]) if len(drifts) == 1 else f"as for the first: {_reason(drifts[0])}"
