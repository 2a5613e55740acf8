"""Commands about the gate of the cut-over and its rehearsal: their names and options. No import that takes long."""

from typing import Annotated

import typer

from remoteiq_etl.cli.options import AsJson

gate = typer.Typer(name="gate", no_args_is_help=True, help="What must be true before a cut-over, and who approved it.")

Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept with your name.")]


@gate.command("status")
def gate_status(as_json: AsJson = False) -> None:
    """Show every rule, what it finds, what was accepted, and whether an approval holds. Exit code 1: the gate is closed."""
    from remoteiq_etl.cli.gate.gate import show

    raise typer.Exit(show(as_json=as_json))


@gate.command("accept")
def gate_accept(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The rule, as gate status names it.")],
    reason: Why,
    item: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ITEM]...", help="What is accepted, as gate status names it.", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything that the rule finds now.")] = False,
) -> None:
    """Accept what a rule finds, one by one. What is said of it later, or found besides, is open again."""
    from remoteiq_etl.cli.gate.gate import accept

    raise typer.Exit(accept(rule, item or [], reason, everything=everything))


@gate.command("approve")
def gate_approve(
    reason: Why,
    until: Annotated[
        str, typer.Option("--until", metavar="WHEN", help="When it ends: 8h, 2d, or 2031-05-04T06:00+02:00.")
    ],
    second_person: Annotated[
        bool, typer.Option("--second-person", help="It counts when somebody else has approved, too.")
    ] = False,
) -> None:
    """Approve the cut-over. It holds for what there is now: whatever moves afterwards closes the gate again."""
    from remoteiq_etl.cli.gate.gate import approve

    raise typer.Exit(approve(reason, until, needs_second=second_person))


@gate.command("revoke")
def gate_revoke(reason: Why) -> None:
    """Take the approval back."""
    from remoteiq_etl.cli.gate.gate import revoke

    raise typer.Exit(revoke(reason))


def rehearse(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the scratch target for a look at it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Play the whole migration, cut-over and way back included, on a scratch target, and write a certificate.

    The legacy database is only read; nothing is fenced. The scratch is the database of REMOTEIQ_REHEARSAL_URL, else a new one.
    """
    from remoteiq_etl.cli.gate.rehearse import show

    raise typer.Exit(show(keep=keep, as_json=as_json))
