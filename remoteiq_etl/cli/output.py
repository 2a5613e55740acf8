"""Consoles, tables, numbers and JSON as every command shows them.

Belongs here: how something looks. Results go to stdout, progress and errors to stderr. Does not belong here: what is
shown.
"""

import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import typer
from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from remoteiq_etl.frames.shown_text import one_line, visible

#: Where nobody's terminal says how wide it is: a log, a pipe.
WIDTH_WITHOUT_TERMINAL = 120

STYLES = {
    "ok": "green",
    "succeeded": "green",
    "warning": "yellow",
    "running": "cyan",
    "blocks": "red",
    "failed": "red",
    "interrupted": "yellow",
    "stopped": "yellow",
}


@dataclass
class Manner:
    """How everything is printed: what the options before the command say."""

    quiet: bool = False
    colours: bool = True


_manner = Manner()


def speak(*, quiet: bool = False, colours: bool = True) -> None:
    """Print everything in this manner from now on."""
    _manner.quiet, _manner.colours = quiet, colours


def is_quiet() -> bool:
    """Whether results, warnings and errors alone are asked for."""
    return _manner.quiet


def results() -> Console:
    """The console for what a command was asked for."""
    return _console(stderr=False)


def errors() -> Console:
    """The console for errors, and for what must be read."""
    return _console(stderr=True)


def remarks() -> Console:
    """The console for progress and remarks: with --quiet nothing of it is seen."""
    return _console(stderr=True, quiet=_manner.quiet)


class LogLines(logging.Handler):
    """What is logged, a line each, beside the progress."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record. A text that holds an error's traceback could hold values of rows: only the message is shown."""
        errors().print(f"{record.levelname} {record.name}: {record.getMessage()}", markup=False, soft_wrap=True)


class VisibleConsole(Console):
    """A console to which no control character of a value gets through: a name may hold what clears the screen.

    Strings are changed before they are laid out, so that columns fit; what is no string when it is segments. Rich's own
    control codes, such as those that move a progress bar, are segments of another kind.
    """

    def render_str(self, text: str, **options: Any) -> Text:
        """A string as rich text."""
        return super().render_str(visible(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """The segments of anything that can be shown."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else visible(text), style, control)


def _console(*, stderr: bool, quiet: bool = False) -> Console:
    no_color = None if _manner.colours else True  # None: as NO_COLOR says
    console = VisibleConsole(stderr=stderr, quiet=quiet, no_color=no_color, highlight=False, soft_wrap=False)
    if not console.is_terminal and not os.environ.get("COLUMNS"):
        console.width = max(console.width, WIDTH_WITHOUT_TERMINAL)
    return console


def table(title: str | None = None) -> Table:
    """An empty table in the one style that all have."""
    return Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )


def number(value: int | float) -> str:
    """A number for people: thousands apart, none as a dash."""
    return f"{value:,.0f}" if value else "-"


def duration(seconds: float | None) -> str:
    """A span of time for people."""
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def age(seconds: float | None) -> str:
    """A span of time in one unit, for a narrow column."""
    if seconds is None:
        return "-"
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def moment(value: datetime | None) -> str:
    """A moment in the reader's own time zone."""
    return "-" if value is None else value.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def styled(word: str) -> str:
    """A word of ours in the colour that it has everywhere."""
    style = STYLES.get(word)
    return f"[{style}]{word}[/]" if style else word


def heading(console: Console, text: str) -> None:
    """A line above a table."""
    console.print(text, style="bold", markup=False)


#: The version of a command's JSON where it is not the first: raised when a key is renamed, removed or means something else.
VERSIONS: Mapping[str, int] = {}


def print_json(command: str, value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print for a program: one JSON object on stdout, which begins with its format. A list stands under `rows`."""
    found = value if isinstance(value, Mapping) else {"rows": value}
    document = {"format": f"{command} {VERSIONS.get(command, 1)}", **found}
    typer.echo(visible(json.dumps(document, ensure_ascii=False, indent=2, default=_plain)))


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def add_rows(into: Table, rows: Iterable[Sequence[str]]) -> Table:
    """Add rows whose texts are not markup."""
    for row in rows:
        into.add_row(*(escape(one_line(cell)) for cell in row))
    return into


def listed(counts: Mapping[str, int]) -> str:
    """Counts as words: 3 unknown_word, 1 duplicate_email."""
    return ", ".join(
        f"{count:,} {name}" for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
