"""The command `report` and its options; no import that takes long."""

from pathlib import Path
from typing import Annotated

import typer

from remoteiq_etl.cli.options import AsJson


def report(
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="The HTML file, with the JSON beside it; else below .remoteiq/reports.",
            show_default=False,
        ),
    ] = None,
    explain: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--explain",
            metavar="TABLE KEY",
            help="Tell in it all that is known of one row, too; a key of several columns as a JSON array.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the migration report: one HTML file that a person reads and signs, and the same as JSON."""
    from remoteiq_etl.cli.report import show

    raise typer.Exit(show(out, explain or (), as_json=as_json))
