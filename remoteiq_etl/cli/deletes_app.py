"""The commands about rows gone from the legacy database, and their options.

Belongs here: what a user can type. Does not belong here: what a command does (see deletes).
"""

from typing import Annotated

import typer

from remoteiq_etl.cli.options import AsJson, Tables

deletes = typer.Typer(name="deletes", no_args_is_help=True, help="Look for rows gone from the legacy database.")

Confirmed = Annotated[
    list[str] | None,
    typer.Option("--confirm", metavar="T", help="The losses of this table are wanted; repeatable.", show_default=False),
]
All = Annotated[bool, typer.Option("--all", help="Show also what was deleted or withdrawn.")]


@deletes.command("list")
def deletes_list(table: Tables = None, confirm: Confirmed = None, every: All = False, as_json: AsJson = False) -> None:
    """Look for rows gone from legacy and list them. Gone users are disabled all the same, with all that they may do."""
    from remoteiq_etl.cli.deletes import show

    raise typer.Exit(show("list", table or [], confirm or [], every=every, as_json=as_json))


@deletes.command("propagate")
def deletes_propagate(
    table: Tables = None, confirm: Confirmed = None, every: All = False, as_json: AsJson = False
) -> None:
    """Delete what is gone from legacy, is ours, as we wrote it, and referred to by nothing that stays; list the rest."""
    from remoteiq_etl.cli.deletes import show

    raise typer.Exit(show("propagate", table or [], confirm or [], every=every, as_json=as_json))
