"""`finalize`: complete a verified target, or print the SQL that would."""

import typer
from rich.console import Console

from remoteiq_etl.bundled_server import databases as bundled
from remoteiq_etl.cli import output
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.target.finalize import Finalized
from remoteiq_etl.lifecycle.target.steps import staged
from remoteiq_etl.postgres.database import Database


def show(*, as_json: bool) -> Exit:
    """Finalize, with each part named on stderr as it is made, and print what was made."""
    settings, console = Settings.load(), output.errors()

    def made(name: str, done: int, total: int) -> None:
        console.print(f"{done} of {total}: {name}", markup=False)

    with (
        bundled.databases(settings) as databases,
        staged(Database(databases.target, settings.target_schema), settings) as place,
    ):
        done = place.finalize(made)
    if as_json:
        output.print_json("finalize", vars(done))
    else:
        _print(output.results(), done)
    return Exit.DONE


def show_script() -> Exit:
    """Print the SQL of finalize."""
    settings = Settings.load()
    with (
        bundled.databases(settings) as databases,
        staged(Database(databases.target, settings.target_schema), settings) as place,
    ):
        typer.echo(str(place.finalize_script()), nl=False)
    return Exit.DONE


def _print(console: Console, done: Finalized) -> None:
    parts = {
        "foreign keys": done.foreign_keys,
        "indexes": done.indexes,
        "columns set not null": done.not_null,
        "sequences set beyond what is there": done.sequences,
        "reporting views": done.views,
    }
    made = ", ".join(f"{len(names)} {what}" for what, names in parts.items() if names) or "nothing was missing"
    console.print(f"The target is finalized: {made}; statistics were renewed.", markup=False)
    for remark in done.remarks:
        console.print(f"  {remark}", style="yellow", markup=False, soft_wrap=True)
    console.print("Next: remoteiq-etl gate status. remoteiq-etl status shows what is missing.", markup=False)
