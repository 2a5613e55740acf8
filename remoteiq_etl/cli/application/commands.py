"""Commands about what the new application needs beyond the redesign: their names and options. No import that takes long."""

import typer

from remoteiq_etl.cli.options import AsJson

application = typer.Typer(
    name="application", no_args_is_help=True, help="What the new application needs of the target beyond the redesign."
)


@application.command("plan")
def application_plan() -> None:
    """Print the SQL of install, in order, as psql runs it, and change nothing."""
    from remoteiq_etl.cli.application.application import plan

    raise typer.Exit(plan())


@application.command("install")
def application_install(as_json: AsJson = False) -> None:
    """Make what is missing; what is there in a form that the application can use stays. May be repeated, goes on where it was killed."""
    from remoteiq_etl.cli.application.application import install

    raise typer.Exit(install(as_json=as_json))


@application.command("check")
def application_check(as_json: AsJson = False) -> None:
    """Say whether all of it is there. Exit code 1: something is missing, or there in a form that the application cannot use."""
    from remoteiq_etl.cli.application.application import check

    raise typer.Exit(check(as_json=as_json))


@application.command("remove")
def application_remove(as_json: AsJson = False) -> None:
    """Take away what install made and nobody uses. What holds something of others stays, and is named."""
    from remoteiq_etl.cli.application.application import remove

    raise typer.Exit(remove(as_json=as_json))
