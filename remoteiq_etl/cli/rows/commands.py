"""Commands about single rows: their names and options. No import that takes long."""

from typing import Annotated

import typer

from remoteiq_etl.cli.options import AsJson, Reason, Tables
from remoteiq_etl.frames.row_keys import one_key

KEY_HELP = "The legacy key of the row; of several columns their values, or a JSON array."

conflicts = typer.Typer(
    name="conflicts", no_args_is_help=True, help="Look at rows that both sides changed, and decide about them."
)

held = typer.Typer(name="held", no_args_is_help=True, help="Look at the rows that wait for a parent.")

deletes = typer.Typer(name="deletes", no_args_is_help=True, help="Look for rows gone from the legacy database.")

Confirmed = Annotated[
    list[str] | None,
    typer.Option("--confirm", metavar="T", help="The losses of this table are wanted; repeatable.", show_default=False),
]

All = Annotated[bool, typer.Option("--all", help="Show also what was deleted or withdrawn.")]

seal = typer.Typer(no_args_is_help=True, help="Make sealing keys, change them, and look at a sealed value.")

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


OfTable = Annotated[
    str | None,
    typer.Argument(metavar="[TABLE]", help="A legacy table, or a target table.", show_default=False),
]
OfKey = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[KEY]", help="The legacy key of one row of it; of several columns their values, or a JSON array."
    ),
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
    from remoteiq_etl.cli.rows.quarantine import show

    raise typer.Exit(show(table or [], rule or [], limit, ignored=ignored, as_json=as_json))


@quarantine.command("warnings")
def quarantine_warnings(
    table: OfTables = None,
    rule: OfRules = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=0, help="Show at most N; 0 shows all.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List decisions that stopped no row, but that somebody should know of: what was made up, renamed, or left unassigned."""
    from remoteiq_etl.cli.rows.warnings import show

    raise typer.Exit(show(table or [], rule or [], limit, as_json=as_json))


@quarantine.command("show")
def quarantine_show(
    of_table: Annotated[str, typer.Argument(metavar="TABLE", help="A legacy table, or a target table.")],
    key: Annotated[list[str], typer.Argument(metavar="KEY", help=KEY_HELP)],
    as_json: AsJson = False,
) -> None:
    """Show one row: its values without secrets, which rule stopped it, since when, and what stopped it before."""
    from remoteiq_etl.cli.rows.quarantine import show_row

    raise typer.Exit(show_row(of_table, one_key(key), as_json=as_json))


@quarantine.command("retry")
def quarantine_retry(of_table: OfTable = None, key: OfKey = None, table: OfTables = None, rule: OfRules = None) -> None:
    """Look at rows again now, by a run of the tables that they wait for, and say which were released."""
    from remoteiq_etl.cli.rows.quarantine_actions import retry

    tables, keys = _named(of_table, key, table)
    raise typer.Exit(retry(keys, tables, rule or []))


@quarantine.command("ignore")
def quarantine_ignore(
    of_table: OfTable = None,
    key: OfKey = None,
    table: OfTables = None,
    rule: OfRules = None,
    reason: Reason = None,
    undo: Annotated[bool, typer.Option("--undo", help="Ignore them no longer.")] = False,
) -> None:
    """Accept rows as they are: they stay in quarantine and alarm nobody, until they change."""
    from remoteiq_etl.cli.rows.quarantine_actions import ignore

    tables, keys = _named(of_table, key, table)
    raise typer.Exit(ignore(keys, tables, rule or [], reason, undo=undo))


def _named(of_table: str | None, key: list[str] | None, tables: list[str] | None) -> tuple[list[str], list[str]]:
    """The tables and keys that were named, as one row or by options. Raises BadParameter for both at once."""
    if of_table is None:
        return tables or [], []
    if tables:
        raise typer.BadParameter("name TABLE and KEY of one row, or tables by --table.", param_hint="--table")
    return [of_table], [one_key(key)] if key else []


@held.command("list")
def held_list(
    table: OfTables = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=0, help="Show at most N rows; 0 shows all.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the rows that wait for a parent, by parent: which row is missing, and what has become of it."""
    from remoteiq_etl.cli.rows.held import show

    raise typer.Exit(show(table or [], limit, as_json=as_json))


@conflicts.command("list")
def conflicts_list(
    table: Tables = None,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are resolved.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the rows that legacy would change and the target keeps: which, in which columns, and why."""
    from remoteiq_etl.cli.rows.conflicts import show

    raise typer.Exit(show(table or [], only_open=not everything, as_json=as_json))


@conflicts.command("show")
def conflicts_show(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="The target table.")],
    key: Annotated[list[str], typer.Argument(metavar="KEY", help="The row's new or legacy key.")],
    as_json: AsJson = False,
) -> None:
    """Show all sides of a row's conflicts: last written, in the target now, and what legacy gives. No secrets."""
    from remoteiq_etl.cli.rows.conflicts import show_row

    raise typer.Exit(show_row(table, one_key(key), as_json=as_json))


@conflicts.command("resolve")
def conflicts_resolve(
    table: Annotated[str | None, typer.Argument(metavar="[TABLE]", help="The target table.")] = None,
    key: Annotated[list[str] | None, typer.Argument(metavar="[KEY]", help="The row's new or legacy key.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All open ones, of the table if one is named.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="The target's values stay.")] = False,
    take: Annotated[bool, typer.Option("--take", help="The next run writes what legacy gives.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; kept in the list.")] = None,
) -> None:
    """Decide about conflicts; the next run does it, as long as both sides still are what the list shows."""
    from remoteiq_etl.cli.rows.conflicts import resolve

    raise typer.Exit(
        resolve(table, one_key(key) if key else None, everything=everything, keep=keep, take=take, reason=reason)
    )


@deletes.command("list")
def deletes_list(table: Tables = None, confirm: Confirmed = None, every: All = False, as_json: AsJson = False) -> None:
    """Look for rows gone from legacy and list them. Gone users are disabled all the same, with all that they may do."""
    from remoteiq_etl.cli.rows.deletes import show

    raise typer.Exit(show("list", table or [], confirm or [], every=every, as_json=as_json))


@deletes.command("propagate")
def deletes_propagate(
    table: Tables = None, confirm: Confirmed = None, every: All = False, as_json: AsJson = False
) -> None:
    """Delete what is gone from legacy, is ours, as we wrote it, and referred to by nothing that stays; list the rest."""
    from remoteiq_etl.cli.rows.deletes import show

    raise typer.Exit(show("propagate", table or [], confirm or [], every=every, as_json=as_json))


def explain(
    table: Annotated[
        str | None, typer.Argument(metavar="[TABLE]", help="A legacy table, or a target table.", show_default=False)
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY]", help="The key of a row; of several columns their values, or a JSON array."),
    ] = None,
    new: Annotated[
        str | None,
        typer.Option("--new", metavar="KEY", help="The key of a target row instead, of TABLE if one is named."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show all that is known of one row: what a legacy row became, by which rules and runs; or what a target row is made of."""
    from remoteiq_etl.cli.rows.explain import show

    raise typer.Exit(show(table, key or [], new, as_json=as_json))


def archive(
    table: Annotated[
        list[str] | None,
        typer.Option("--table", metavar="T", help="Only columns of this legacy or target table; repeatable."),
    ] = None,
    run: Annotated[
        int | None,
        typer.Option("--run", metavar="N", help="As this run recorded it, instead of now.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what the archive keeps of each legacy column: rows, bytes, and what is sealed, withheld or retired."""
    from remoteiq_etl.cli.rows.archive import show

    raise typer.Exit(show(table or [], run, as_json=as_json))


@seal.command("new-key")
def seal_new_key() -> None:
    """Print a fresh sealing key, for REMOTEIQ_SEALING_KEY. Reaches no database."""
    from remoteiq_etl.cli.rows.seal import new_key

    raise typer.Exit(new_key())


@seal.command("rotate")
def seal_rotate(as_json: AsJson = False) -> None:
    """Seal everything with the first key of REMOTEIQ_SEALING_KEY. It may be interrupted and repeated."""
    from remoteiq_etl.cli.rows.seal import rotate

    raise typer.Exit(rotate(as_json=as_json))


@seal.command("show")
def seal_show(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="The legacy table.")],
    key: Annotated[list[str], typer.Argument(metavar="KEY", help=KEY_HELP)],
    column: Annotated[
        str | None, typer.Option("--column", metavar="C", help="Only this column, and nothing but its value.")
    ] = None,
    before: Annotated[
        bool,
        typer.Option(
            "--before", help="Instead what a target row held before our writes; TABLE and KEY are the target's then."
        ),
    ] = False,
) -> None:
    """Open the archived values of one legacy row and print them on stdout. Secrets are shown!"""
    from remoteiq_etl.cli.rows.seal import show

    raise typer.Exit(show(table, one_key(key), column, before=before))
