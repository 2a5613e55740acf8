"""The command `undo` and its options; no import that takes long."""

from pathlib import Path
from typing import Annotated

import typer

from remoteiq_etl.cli.options import AsJson


def undo(
    run: Annotated[
        int | None, typer.Option("--run", metavar="N", help="What this run wrote, in all tables.", show_default=False)
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option("--table", metavar="T", help="What all runs wrote to this table; repeatable.", show_default=False),
    ] = None,
    domain: Annotated[
        list[str] | None,
        typer.Option("--domain", metavar="D", help="The same for all tables of a domain; repeatable."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="What all runs wrote.")] = False,
    with_dependents: Annotated[
        bool, typer.Option("--with-dependents", help="Take along the tables of ours that refer to those named.")
    ] = False,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Bring rows back without former secrets that were not kept.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the plan to this file.")] = None,
    execute: Annotated[
        Path | None, typer.Option("--execute", metavar="FILE", help="Execute the plan in this file, or refuse.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what taking back the work of runs would do; --out keeps that as a plan, --execute executes exactly the plan."""
    from remoteiq_etl.cli import undo as command

    named = run is not None or table or domain or everything or out
    if execute is not None and named:
        raise typer.BadParameter("--execute takes a plan as it is: name nothing else beside it.")
    if execute is not None:
        raise typer.Exit(command.execute(execute, as_json=as_json))
    scope = command.asked(run, table or [], domain or [], everything=everything)
    raise typer.Exit(
        command.show(scope, out, accept_loss=accept_loss, with_dependents=with_dependents, as_json=as_json)
    )
