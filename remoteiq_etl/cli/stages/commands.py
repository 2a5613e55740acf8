"""Commands that lead a migration from stage to stage: their names and options. No import that takes long."""

from typing import Annotated

import typer

from remoteiq_etl.cli.options import AsJson

_DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print the SQL, in order, as psql runs it, and change nothing.")
]


def prepare(
    dry_run: _DryRun = False,
    back: Annotated[
        bool, typer.Option("--back", help="Take it back: drop the tables that it made, as long as they are empty.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look at both databases, then create what the target lacks beside what is there, in one transaction. May be repeated."""
    from remoteiq_etl.cli.stages import prepare as command

    if dry_run and back:
        raise typer.BadParameter("--dry-run shows what prepare does; --back has none.", param_hint="--dry-run")
    if back:
        raise typer.Exit(command.take_back())
    raise typer.Exit(command.show_script() if dry_run else command.show(as_json=as_json))


def finalize(dry_run: _DryRun = False, as_json: AsJson = False) -> None:
    """Complete a verified target: foreign keys and indexes, sequences, statistics, reporting views. Goes on where it was killed."""
    from remoteiq_etl.cli.stages import finalize as command

    raise typer.Exit(command.show_script() if dry_run else command.show(as_json=as_json))
