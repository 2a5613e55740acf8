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
from importlib.metadata import version
from typing import Annotated

import typer

from remoteiq_etl.cli import output
from remoteiq_etl.cli.application.commands import application
from remoteiq_etl.cli.cutover import commands as cutover
from remoteiq_etl.cli.demo import commands as try_out
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.gate.commands import gate, rehearse
from remoteiq_etl.cli.order import InOrder, arrange
from remoteiq_etl.cli.proof import commands as proof
from remoteiq_etl.cli.rows import commands as rows
from remoteiq_etl.cli.run import commands as run
from remoteiq_etl.cli.stages import commands as stages
from remoteiq_etl.cli.views.commands import views
from remoteiq_etl.errors import RemoteIQError

_WHERE = "remoteiq-etl --debug … says where in the program it arose."


@dataclass
class Invocation:
    """What was asked of the program as a whole."""

    debug: bool = False


app = typer.Typer(
    name="remoteiq-etl",
    cls=InOrder,
    help="Moves a live legacy RemoteIQ database into the redesigned schema, and shows what became of every row.",
    epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 done with quarantined or held rows, 130 interrupted."
    " Example: remoteiq-etl --quiet run",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


for _command in (
    try_out.demo,
    proof.doctor,
    stages.prepare,
    stages.finalize,
    run.plan,
    run.run,
    run.status,
    run.pause,
    run.resume,
    run.stop,
    proof.verify,
    proof.report,
    rehearse,
    rows.explain,
    run.reset,
    run.undo,
    proof.lineage,
    rows.archive,
    run.prune,
    cutover.cutover,
    cutover.cleanup,
    try_out.generate,
):
    app.command()(_command)
for _group in (gate, cutover.fallback, views, application, rows.quarantine, rows.held, rows.conflicts, rows.deletes):
    app.add_typer(_group)
app.add_typer(rows.seal, name="seal")
arrange(app)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"remoteiq-etl {version('remoteiq-etl')}")
        raise typer.Exit


@app.callback()
def _program(
    context: typer.Context,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print results, warnings and errors alone: no progress.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print what is logged besides, Dagster's events among it.")
    ] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Print no colours, as with NO_COLOR.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Say where in the program an error arose.")] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version of the program."),
    ] = False,
) -> None:
    context.ensure_object(Invocation).debug = debug
    output.speak(quiet=quiet, colours=not no_color)
    if verbose:
        logging.getLogger().setLevel(logging.INFO)
        logging.getLogger().addHandler(output.LogLines())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command as the arguments say (those of the process by default); give the exit code."""
    # SIGTERM ends a command as Ctrl-C does: the bundled server is stopped and the run's end recorded.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Without any handler Python prints what libraries log as an error, tracebacks and their values included.
    logging.getLogger().addHandler(logging.NullHandler())
    invocation = Invocation()
    output.speak()
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
    # Typer's own, where a command does not answer Ctrl-C itself.
    if ended.code == Exit.INTERRUPTED and not isinstance(ended.code, Exit):
        output.errors().print("Interrupted.")
    return ended.code if isinstance(ended.code, int) else Exit.FAILED


def _unexpected(error: Exception) -> str:
    from remoteiq_etl.postgres.errors.failures import DATABASE_ERRORS, describe

    if isinstance(error, DATABASE_ERRORS):
        return f"{describe(error)} {_WHERE}"
    return f"Unexpected error: {describe(error)}. Its text may hold values of rows and is not shown. {_WHERE}"


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
