"""Commands that try the program out: their names and options. No import that takes long."""

from typing import Annotated

import typer


def demo(
    load_only: Annotated[
        bool, typer.Option("--load-only", help="Only fill the legacy side; nothing is migrated.")
    ] = False,
) -> None:
    """Move a small legacy database with every dirty case, on the bundled server, change some rows, re-sync, and prove it."""
    from remoteiq_etl.cli.demo.demo import show

    raise typer.Exit(show(load_only=load_only))


def generate(
    agents: Annotated[int, typer.Option("--agents", metavar="N", min=0, help="The size of the installation.")],
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Another seed, other rows.")] = 1,
    rows: Annotated[
        list[str] | None, typer.Option("--rows", metavar="TABLE=N", help="The rows of one table; repeatable.")
    ] = None,
    create_schema: Annotated[
        bool, typer.Option("--create-schema", help="Create the legacy tables first, also in a configured database.")
    ] = False,
) -> None:
    """Fill an empty legacy database with an invented installation of any size."""
    from remoteiq_etl.cli.demo.generate import show

    raise typer.Exit(show(agents, seed, rows or [], create_schema=create_schema))
