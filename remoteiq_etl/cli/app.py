"""The commands and their options, exit codes, and errors as text.

Belongs here: what a user can type. Does not belong here: what a command does (the module of its name), and any import
that takes long.
"""

import logging
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

import typer

from remoteiq_etl.cli import output
from remoteiq_etl.cli.conflicts_app import conflicts
from remoteiq_etl.cli.deletes_app import deletes
from remoteiq_etl.cli.options import (
    AcceptDrift,
    AsJson,
    Conflicts,
    Domains,
    Full,
    Reason,
    Recreate,
    Redecide,
    Tables,
)
from remoteiq_etl.cli.quarantine_app import quarantine
from remoteiq_etl.cli.report_app import report
from remoteiq_etl.cli.undo_app import undo
from remoteiq_etl.cli.verify_app import verify
from remoteiq_etl.errors import RemoteIQError


class Exit(IntEnum):
    """How a command ends. ATTENTION: everything is done, and quarantined or held rows wait for somebody."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    ATTENTION = 3


#: What Typer makes of Ctrl-C where a command does not answer it itself.
_INTERRUPTED = 130


@dataclass
class Invocation:
    """What was asked of the program as a whole."""

    debug: bool = False


app = typer.Typer(
    name="remoteiq-etl",
    help="Moves a live legacy RemoteIQ database into the redesigned schema, and shows what became of every row.",
    epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 done with quarantined or held rows.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(quarantine)
app.command()(undo)
app.command()(report)
app.command()(verify)
app.add_typer(conflicts)
app.add_typer(deletes)
seal = typer.Typer(no_args_is_help=True, help="Make sealing keys, change them, and look at a sealed value.")
app.add_typer(seal, name="seal")


@app.callback()
def _program(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Say where in the program an error arose.")] = False,
) -> None:
    context.ensure_object(Invocation).debug = debug


@app.command()
def demo() -> None:
    """Move a small legacy database with every dirty case, on the bundled server, and show what became of it."""
    from remoteiq_etl.cli.demo import show

    raise typer.Exit(show())


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look at both databases: can they be reached, read and written, and are their schemas as expected?"""
    from remoteiq_etl.cli.doctor import show

    raise typer.Exit(show(as_json=as_json))


@app.command()
def plan(
    table: Tables = None,
    domain: Domains = None,
    full: Full = False,
    accept_drift: AcceptDrift = None,
    policies: Conflicts = None,
    recreate: Recreate = None,
    redecide: Redecide = None,
    as_json: AsJson = False,
) -> None:
    """Show per table what a run would do, without writing to the target's tables."""
    from remoteiq_etl.cli.plan import show
    from remoteiq_etl.lifecycle.interventions import Interventions

    asked = Interventions.of_options(policies or [], recreate or [], redecide or [])
    raise typer.Exit(
        show(
            table or [],
            domain or [],
            full=full,
            accept_drift=accept_drift or [],
            interventions=asked,
            as_json=as_json,
        )
    )


@app.command()
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
    as_json: AsJson = False,
) -> None:
    """Bring the target up to date with the legacy database, through Dagster. It may be repeated and interrupted."""
    from remoteiq_etl.cli.run import show
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
            as_json=as_json,
        )
    )


@app.command()
def status(
    runs: Annotated[int, typer.Option("--runs", metavar="N", min=1, help="How many of the last runs to show.")] = 5,
    changes: Annotated[
        bool, typer.Option("--changes", help="Count the legacy rows that changed since; reads every legacy table.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the last runs, and per table how far it is behind the source, what is mapped and what waits."""
    from remoteiq_etl.cli.status import show

    raise typer.Exit(show(runs, count_changes=changes, as_json=as_json))


@app.command()
def pause(reason: Reason = None) -> None:
    """Let runs and verifications wait, those in work after their current batch, until resume. Survives restarts."""
    from remoteiq_etl.cli.control import pause

    raise typer.Exit(pause(reason))


@app.command()
def resume(reason: Reason = None) -> None:
    """Take a pause back: what waits goes on, and runs may begin again."""
    from remoteiq_etl.cli.control import resume

    raise typer.Exit(resume(reason))


@app.command()
def stop(reason: Reason = None) -> None:
    """End the run and the verification in work after their current batch. What they have done is kept; the next one goes on."""
    from remoteiq_etl.cli.control import stop

    raise typer.Exit(stop(reason))


@app.command()
def lineage(
    name: Annotated[
        str | None, typer.Argument(metavar="TABLE|TABLE.COLUMN", help="Of either side.", show_default=False)
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether every legacy column is accounted for.")
    ] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print docs/mapping.md.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what becomes of each legacy column, and what fills each target column. Reaches no database."""
    from remoteiq_etl.cli.lineage import show

    raise typer.Exit(show(name, check=check, as_markdown=markdown, as_json=as_json))


@app.command()
def explain(
    table: Annotated[
        str | None, typer.Argument(metavar="[TABLE]", help="A legacy table, or a target table.", show_default=False)
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY]...", help="The key of a row; of several columns their values, or a JSON array."),
    ] = None,
    new: Annotated[
        str | None,
        typer.Option("--new", metavar="KEY", help="The key of a target row instead, of TABLE if one is named."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show all that is known of one row: what a legacy row became, by which rules and runs; or what a target row is made of."""
    from remoteiq_etl.cli.explain import show

    raise typer.Exit(show(table, key or [], new, as_json=as_json))


@app.command()
def reset(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="The target table.")],
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="KEY", help="Only the row of this legacy or new key.", show_default=False),
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
    from remoteiq_etl.cli.reset import show

    raise typer.Exit(show(table, key, take_legacy=take_legacy, recreate=recreate, yes=yes, as_json=as_json))


@app.command()
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
    from remoteiq_etl.cli.archive import show

    raise typer.Exit(show(table or [], run, as_json=as_json))


@seal.command("new-key")
def seal_new_key() -> None:
    """Print a fresh sealing key, for REMOTEIQ_SEALING_KEY. Reaches no database."""
    from remoteiq_etl.cli.seal import new_key

    raise typer.Exit(new_key())


@seal.command("rotate")
def seal_rotate(as_json: AsJson = False) -> None:
    """Seal everything with the first key of REMOTEIQ_SEALING_KEY. It may be interrupted and repeated."""
    from remoteiq_etl.cli.seal import rotate

    raise typer.Exit(rotate(as_json=as_json))


@seal.command("show")
def seal_show(
    table: Annotated[str, typer.Option("--table", metavar="T", help="The legacy table.")],
    key: Annotated[str, typer.Option("--key", metavar="K", help="The legacy key of the row.")],
    column: Annotated[
        str | None, typer.Option("--column", metavar="C", help="Only this column, and nothing but its value.")
    ] = None,
    before: Annotated[
        bool,
        typer.Option(
            "--before", help="Instead what a target row held before our writes; T and K are the target's then."
        ),
    ] = False,
) -> None:
    """Open the archived values of one legacy row and print them on stdout. Secrets are shown!"""
    from remoteiq_etl.cli.seal import show

    raise typer.Exit(show(table, key, column, before=before))


@app.command()
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
    from remoteiq_etl.cli.generate import show

    raise typer.Exit(show(agents, seed, rows or [], create_schema=create_schema))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command as the arguments say (those of the process by default); give the exit code."""
    # SIGTERM ends a command as Ctrl-C does: the bundled server is stopped and the run's end recorded.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Without any handler Python prints what libraries log as an error, tracebacks and their values included.
    logging.getLogger().addHandler(logging.NullHandler())
    invocation = Invocation()
    try:
        app(args=None if arguments is None else list(arguments), prog_name=app.info.name, obj=invocation)
    except SystemExit as ended:
        return _code(ended)
    except RemoteIQError as error:
        _explain(str(error), error, invocation)
    # The outermost edge: an unknown error's text may hold values of rows, so only what is known to be safe is shown.
    except Exception as error:  # noqa: BLE001
        _explain(_unexpected(error), error, invocation)
    return Exit.FAILED


def _code(ended: SystemExit) -> int:
    if ended.code == _INTERRUPTED:
        output.errors().print("Interrupted.")
        return Exit.FAILED
    return ended.code if isinstance(ended.code, int) else Exit.FAILED


def _unexpected(error: Exception) -> str:
    from remoteiq_etl.backfill.failure import describe

    return (
        f"Unexpected error: {describe(error)}. Its text may hold values of rows and is not shown;"
        " remoteiq-etl --debug … says where in the program it arose."
    )


def _explain(text: str, error: BaseException, invocation: Invocation) -> None:
    console = output.errors()
    console.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
    if invocation.debug:
        console.print("\n".join(_places(error)), markup=False, highlight=False, soft_wrap=True)


def _places(error: BaseException | None) -> Iterator[str]:
    """Name where an error and its causes arose, without their texts."""
    while error is not None:
        yield f"{type(error).__module__}.{type(error).__qualname__}, raised at:"
        yield "".join(traceback.format_tb(error.__traceback__)).rstrip()
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


if __name__ == "__main__":
    sys.exit(main())
