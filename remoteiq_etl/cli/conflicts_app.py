"""The commands of `conflicts` and their options.

Belongs here: what a user can type. Does not belong here: what a command does (see conflicts), and any import that takes
long.
"""

from typing import Annotated

import typer

from remoteiq_etl.cli.options import AsJson, Tables

conflicts = typer.Typer(
    name="conflicts", no_args_is_help=True, help="Look at rows that both sides changed, and decide about them."
)


@conflicts.command("list")
def conflicts_list(
    table: Tables = None,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are resolved.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the rows that legacy would change and the target keeps: which, in which columns, and why."""
    from remoteiq_etl.cli.conflicts import show

    raise typer.Exit(show(table or [], only_open=not everything, as_json=as_json))


@conflicts.command("show")
def conflicts_show(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="The target table.")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="The row's new or legacy key.")],
    as_json: AsJson = False,
) -> None:
    """Show all sides of a row's conflicts: last written, in the target now, and what legacy gives. No secrets."""
    from remoteiq_etl.cli.conflicts import show_row

    raise typer.Exit(show_row(table, key, as_json=as_json))


@conflicts.command("resolve")
def conflicts_resolve(
    table: Annotated[str | None, typer.Argument(metavar="[TABLE]", help="The target table.")] = None,
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help="The row's new or legacy key.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All open ones, of the table if one is named.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="The target's values stay.")] = False,
    take: Annotated[bool, typer.Option("--take", help="The next run writes what legacy gives.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; kept in the list.")] = None,
) -> None:
    """Decide about conflicts; the next run does it, as long as both sides still are what the list shows."""
    from remoteiq_etl.cli.conflicts import resolve

    raise typer.Exit(resolve(table, key, everything=everything, keep=keep, take=take, reason=reason))
