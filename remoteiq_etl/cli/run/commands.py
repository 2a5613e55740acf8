"""Commands that move data or steer it: their names and options. No import that takes long."""

from pathlib import Path
from typing import Annotated

import typer

from remoteiq_etl.cli.options import (
    AcceptDrift,
    AsJson,
    Conflicts,
    Domains,
    Full,
    Reason,
    Recreate,
    Redecide,
    RoleGrants,
    Tables,
)
from remoteiq_etl.frames.row_keys import one_key


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
    from remoteiq_etl.cli.run import undo as command

    named = run is not None or table or domain or everything or out
    if execute is not None and named:
        raise typer.BadParameter("--execute takes a plan as it is: name nothing else beside it.")
    if execute is not None:
        raise typer.Exit(command.execute(execute, as_json=as_json))
    scope = command.asked(run, table or [], domain or [], everything=everything)
    raise typer.Exit(
        command.show(scope, out, accept_loss=accept_loss, with_dependents=with_dependents, as_json=as_json)
    )


def plan(
    table: Tables = None,
    domain: Domains = None,
    full: Full = False,
    accept_drift: AcceptDrift = None,
    policies: Conflicts = None,
    recreate: Recreate = None,
    redecide: Redecide = None,
    role_grants: RoleGrants = None,
    as_json: AsJson = False,
) -> None:
    """Show per table what a run would do, without writing to the target's tables."""
    from remoteiq_etl.cli.run.plan import show
    from remoteiq_etl.lifecycle.interventions import Interventions

    asked = Interventions.of_options(policies or [], recreate or [], redecide or [])
    raise typer.Exit(
        show(
            table or [],
            domain or [],
            full=full,
            accept_drift=accept_drift or [],
            interventions=asked,
            role_grants=role_grants,
            as_json=as_json,
        )
    )


def run(
    table: Tables = None,
    domain: Domains = None,
    full: Full = False,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Compare every row by key and hash, too: is there a change that was missed?")
    ] = False,
    accept_drift: AcceptDrift = None,
    policies: Conflicts = None,
    recreate: Recreate = None,
    redecide: Redecide = None,
    role_grants: RoleGrants = None,
    as_json: AsJson = False,
) -> None:
    """Bring the target up to date with the legacy database, through Dagster. It may be repeated and interrupted."""
    from remoteiq_etl.cli.run.run import show
    from remoteiq_etl.lifecycle.interventions import Interventions

    asked = Interventions.of_options(policies or [], recreate or [], redecide or [])
    raise typer.Exit(
        show(
            table or [],
            domain or [],
            full=full,
            sweep=sweep,
            accept_drift=accept_drift or [],
            interventions=asked,
            role_grants=role_grants,
            as_json=as_json,
        )
    )


def status(
    runs: Annotated[int, typer.Option("--runs", metavar="N", min=1, help="How many of the last runs to show.")] = 5,
    changes: Annotated[
        bool, typer.Option("--changes", help="Count the legacy rows that changed since; reads every legacy table.")
    ] = False,
    sizes: Annotated[
        bool,
        typer.Option("--sizes", help="Measure what the migration takes up in the target, in all and per legacy row."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the last runs, and per table how far it is behind the source, what is mapped and what waits."""
    from remoteiq_etl.cli.run.status import show

    raise typer.Exit(show(runs, _declared, count_changes=changes, measure=sizes, as_json=as_json))


def _declared() -> list[str]:
    """The assets that have a source: all declarations are imported for it, so it is asked for only where it is needed."""
    from remoteiq_etl.cli.selection import specs

    return [asset for asset, spec in specs().items() if spec.no_source is None]


def pause(reason: Reason = None) -> None:
    """Let runs and verifications wait, those in work after their current batch, until resume. Survives restarts."""
    from remoteiq_etl.cli.run.control import pause

    raise typer.Exit(pause(reason))


def resume(reason: Reason = None) -> None:
    """Take a pause back: what waits goes on, and runs may begin again."""
    from remoteiq_etl.cli.run.control import resume

    raise typer.Exit(resume(reason))


def stop(reason: Reason = None) -> None:
    """End the run and the verification in work after their current batch. What they have done is kept; the next one goes on."""
    from remoteiq_etl.cli.run.control import stop

    raise typer.Exit(stop(reason))


def reset(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="The target table.")],
    key: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY]", help="Only the row of this legacy or new key.", show_default=False),
    ] = None,
    take_legacy: Annotated[
        bool, typer.Option("--take-legacy", help="Overwrite rows that were edited in the target, too.")
    ] = False,
    recreate: Annotated[
        bool, typer.Option("--recreate", help="Make rows again that were deleted in the target.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this it is only shown.")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget a table or a row and migrate it again, under the same keys. Shows first what it would do."""
    from remoteiq_etl.cli.run.reset import show

    raise typer.Exit(
        show(table, one_key(key) if key else None, take_legacy=take_legacy, recreate=recreate, yes=yes, as_json=as_json)
    )


def prune(as_json: AsJson = False) -> None:
    """Delete Dagster's records of old runs, as the configuration says, and give the room back. No database is touched."""
    from remoteiq_etl.cli.run.prune import show

    raise typer.Exit(show(as_json=as_json))
