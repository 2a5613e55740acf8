"""Commands of the cut-over and of what comes after it: their names and options. No import that takes long."""

from pathlib import Path
from typing import Annotated

import typer

from remoteiq_etl.cli.options import AsJson
from remoteiq_etl.config.fence_kind import FenceKind

fallback = typer.Typer(
    name="fallback",
    no_args_is_help=True,
    help="What the new application has written since the cut-over, carried back to the legacy tables.",
)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done. Changes nothing.")]


def cutover(
    dry_run: DryRun = False,
    fence: Annotated[
        FenceKind | None,
        typer.Option(
            "--fence",
            help="What keeps the old application from writing; by default what the configuration file says.",
            show_default=False,
        ),
    ] = None,
    back: Annotated[
        bool, typer.Option("--back", help="Take the cut-over back, or the fence of one that was interrupted.")
    ] = False,
    lose: Annotated[
        bool,
        typer.Option("--lose", help="Go back although something stays behind; what does is kept in a file."),
    ] = False,
    no_fallback: Annotated[
        bool,
        typer.Option("--no-fallback", help="With --back: carry nothing back of what the new application has written."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let the new application take over: fence, final re-sync, verification, switch. --back takes it back."""
    from remoteiq_etl.cli.cutover import cutover as command

    if back and (dry_run or fence):
        raise typer.BadParameter("--back takes back what was recorded: name neither --dry-run nor --fence beside it.")
    if lose and not back:
        raise typer.BadParameter("--lose belongs to --back.")
    if no_fallback and not back:
        raise typer.BadParameter("--no-fallback belongs to --back.")
    if back:
        raise typer.Exit(command.go_back(lose=lose, carry=not no_fallback, as_json=as_json))
    raise typer.Exit(command.show_plan(fence, as_json=as_json) if dry_run else command.cut_over(fence, as_json=as_json))


def cleanup(
    dry_run: DryRun = False,
    state: Annotated[
        bool, typer.Option("--state", help="Drop our own schema, when the legacy tables are gone.")
    ] = False,
    confirm: Annotated[
        str | None,
        typer.Option(
            "--confirm", metavar="SOURCE", help="The name of the source; without it you are asked to type it."
        ),
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option("--archive", metavar="DIR", help="Where the archive is made; else below .remoteiq/archives."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Drop the legacy tables after the cut-over, with an archive of the state before. There is no way back."""
    from remoteiq_etl.cli.cutover import cleanup as command

    if dry_run:
        raise typer.Exit(command.show_plan(state=state, as_json=as_json))
    raise typer.Exit(command.clean_up(confirm, archive, state=state, as_json=as_json))


LeftFile = Annotated[
    Path | None,
    typer.Option(
        "--file", metavar="PATH", help="Where to write what does not go back: keys and reasons, as JSON lines."
    ),
]


@fallback.command("plan")
def fallback_plan(file: LeftFile = None, as_json: AsJson = False) -> None:
    """Show what would go back, and what would not. Renews the legacy-shaped views, and changes nothing else."""
    from remoteiq_etl.cli.cutover import fallback as command

    raise typer.Exit(command.show_plan(file, as_json=as_json))


@fallback.command("run")
def fallback_run(file: LeftFile = None, as_json: AsJson = False) -> None:
    """Carry it back. May be repeated until cutover --back, and goes on where a kill has stopped it."""
    from remoteiq_etl.cli.cutover import fallback as command

    raise typer.Exit(command.fall_back(file, as_json=as_json))
