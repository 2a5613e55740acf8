"""Commands that only look: their names and options. No import that takes long."""

from pathlib import Path
from typing import Annotated

import typer

from remoteiq_etl.cli.options import AsJson


def verify(
    tables: Annotated[
        list[str] | None, typer.Argument(metavar="[TABLE]...", help="Only these target tables.", show_default=False)
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Also tables of which nothing has moved since they were verified.")
    ] = False,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Compare what both servers add up, and in detail only what differs; keeps no verdict."
        ),
    ] = False,
    round_trip: Annotated[
        bool,
        typer.Option(
            "--round-trip",
            help="Read every legacy row back through its legacy-shaped view; the tables named are legacy tables then.",
        ),
    ] = False,
    confirm: Annotated[
        list[str] | None,
        typer.Option(
            "--confirm",
            metavar="TABLE",
            help="Edits, deletions and changes of legacy explain any number of its rows.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare every row with what the mapping makes of the legacy database. Exit code 1: a difference that nothing explains, or
    a table that is not there as a whole."""
    from remoteiq_etl.cli.proof.verify import show

    if round_trip:
        from remoteiq_etl.cli.views import round_trip as command

        if full or quick or confirm:
            raise typer.BadParameter("it is a comparison of its own and takes only tables.", param_hint="--round-trip")
        raise typer.Exit(command.show(tables or [], as_json=as_json))
    raise typer.Exit(show(tables or [], full=full, quick=quick, confirmed=confirm or [], as_json=as_json))


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
    from remoteiq_etl.cli.proof.report import show

    raise typer.Exit(show(out, explain or (), as_json=as_json))


def doctor(
    rights: Annotated[
        bool,
        typer.Option(
            "--sql", help="Print instead the SQL that makes the roles with least rights. Reaches no database."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look at both databases: can they be reached, read and written, and are their schemas as expected?

    What prepare would do is tried in a transaction that is taken back.
    """
    from remoteiq_etl.cli.proof.doctor import show, show_rights

    if rights:
        raise typer.Exit(show_rights())

    raise typer.Exit(show(as_json=as_json))


def lineage(
    name: Annotated[
        str | None, typer.Argument(metavar="TABLE|TABLE.COLUMN", help="Of either side.", show_default=False)
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether every legacy column is accounted for.")
    ] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print docs/mapping.md.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what becomes of each legacy column, and what fills each target column. Reaches no database."""
    from remoteiq_etl.cli.proof.lineage import show

    raise typer.Exit(show(name, check=check, as_markdown=markdown, as_json=as_json))
