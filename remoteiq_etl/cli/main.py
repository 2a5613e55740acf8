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
from typing import Annotated

import typer

from remoteiq_etl.cli import output
from remoteiq_etl.cli.application.commands import application
from remoteiq_etl.cli.cutover import commands as cutover
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.gate.commands import gate, rehearse
from remoteiq_etl.cli.proof import commands as proof
from remoteiq_etl.cli.rows import commands as rows
from remoteiq_etl.cli.run import commands as run
from remoteiq_etl.cli.stages import commands as stages
from remoteiq_etl.cli.views.commands import views
from remoteiq_etl.errors import RemoteIQError

#: What Typer makes of Ctrl-C where a command does not answer it itself.
_INTERRUPTED = 130
_WHERE = "remoteiq-etl --debug … says where in the program it arose."


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


for _command in (
    run.demo,
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
    run.generate,
):
    app.command()(_command)
for _group in (gate, views, application, rows.quarantine, rows.conflicts, rows.deletes):
    app.add_typer(_group)
app.add_typer(rows.seal, name="seal")


@app.callback()
def _program(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Say where in the program an error arose.")] = False,
) -> None:
    context.ensure_object(Invocation).debug = debug


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
