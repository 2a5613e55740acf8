"""Commands about the legacy-shaped views: their names and options. No import that takes long."""

import typer

from remoteiq_etl.cli.options import AsJson

views = typer.Typer(
    name="views", no_args_is_help=True, help="The tables of the legacy database as views over the redesign."
)


@views.command("install")
def views_install(as_json: AsJson = False) -> None:
    """Make or renew the legacy-shaped views in the target. May be repeated; number what the new application wrote since."""
    from remoteiq_etl.cli.views.views import install

    raise typer.Exit(install(as_json=as_json))


@views.command("check")
def views_check(as_json: AsJson = False) -> None:
    """Say whether the views are as install leaves them. Exit code 1: they are not."""
    from remoteiq_etl.cli.views.views import check

    raise typer.Exit(check(as_json=as_json))


@views.command("remove")
def views_remove(as_json: AsJson = False) -> None:
    """Drop the views that install made, and nothing else."""
    from remoteiq_etl.cli.views.views import remove

    raise typer.Exit(remove(as_json=as_json))
