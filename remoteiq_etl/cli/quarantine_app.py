"""The commands below `quarantine` and their options; no import that takes long."""

from typing import Annotated

import typer

from remoteiq_etl.cli.options import AsJson, Reason

quarantine = typer.Typer(
    name="quarantine",
    no_args_is_help=True,
    help="Look at the rows that cannot be carried as they are, and handle them.",
)

OfTables = Annotated[
    list[str] | None,
    typer.Option(
        "--table", metavar="T", help="Only rows of this target or legacy table; repeatable.", show_default=False
    ),
]
OfRules = Annotated[
    list[str] | None,
    typer.Option("--rule", metavar="R", help="Only rows that this rule stopped; repeatable.", show_default=False),
]
LegacyKeys = Annotated[
    list[str] | None, typer.Argument(metavar="[KEY]...", help="Legacy keys of rows.", show_default=False)
]


@quarantine.command("list")
def quarantine_list(
    table: OfTables = None,
    rule: OfRules = None,
    ignored: Annotated[bool, typer.Option("--ignored", help="List the rows that are ignored instead.")] = False,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=0, help="Show at most N rows; 0 shows all.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the rows in quarantine: which row, which rule stopped it, and why."""
    from remoteiq_etl.cli.quarantine import show

    raise typer.Exit(show(table or [], rule or [], limit, ignored=ignored, as_json=as_json))


@quarantine.command("warnings")
def quarantine_warnings(
    table: OfTables = None,
    rule: OfRules = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=0, help="Show at most N; 0 shows all.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List decisions that stopped no row, but that somebody should know of: what was made up, renamed, or left unassigned."""
    from remoteiq_etl.cli.decision_warnings import show

    raise typer.Exit(show(table or [], rule or [], limit, as_json=as_json))


@quarantine.command("show")
def quarantine_show(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The legacy key of a row.")],
    table: OfTables = None,
    as_json: AsJson = False,
) -> None:
    """Show one row: its values without secrets, which rule stopped it, since when, and what stopped it before."""
    from remoteiq_etl.cli.quarantine import show_row

    raise typer.Exit(show_row(key, table or [], as_json=as_json))


@quarantine.command("retry")
def quarantine_retry(key: LegacyKeys = None, table: OfTables = None, rule: OfRules = None) -> None:
    """Look at rows again now, by a run of the tables that they wait for, and say which were released."""
    from remoteiq_etl.cli.quarantine_actions import retry

    raise typer.Exit(retry(key or [], table or [], rule or []))


@quarantine.command("ignore")
def quarantine_ignore(
    key: LegacyKeys = None,
    table: OfTables = None,
    rule: OfRules = None,
    reason: Reason = None,
    undo: Annotated[bool, typer.Option("--undo", help="Ignore them no longer.")] = False,
) -> None:
    """Accept rows as they are: they stay in quarantine and alarm nobody, until they change."""
    from remoteiq_etl.cli.quarantine_actions import ignore

    raise typer.Exit(ignore(key or [], table or [], rule or [], reason, undo=undo))
