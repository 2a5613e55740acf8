"""The command `verify` and its options; no import that takes long."""

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
    as_json: AsJson = False,
) -> None:
    """Compare every row with what the mapping makes of the legacy database. Exit code 1: a difference that nothing explains."""
    from remoteiq_etl.cli.verify import show

    raise typer.Exit(show(tables or [], full=full, quick=quick, as_json=as_json))
