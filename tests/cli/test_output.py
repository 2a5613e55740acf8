"""What every command shows: nothing of a value is obeyed by a terminal."""

import io
import json

import pytest
from rich.padding import Padding
from rich.progress import Progress
from rich.text import Text

from remoteiq_etl.cli import output

#: A hostname that clears the screen, colours what follows, sets the title of the window, and is read from right to left.
HOSTNAME = "pc-1\x1b[2J\x1b[31m\x1b]0;title\x07\x9b2J\u202e\u2028"
SHOWN = r"pc-1\u001b[2J\u001b[31m\u001b]0;title\u0007\u009b2J\u202e\u2028"


def terminal(width: int = 120) -> output.VisibleConsole:
    return output.VisibleConsole(
        file=io.StringIO(), width=width, force_terminal=True, color_system=None, highlight=False
    )


def written(console: output.VisibleConsole) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_sentence_shows_what_a_hostname_would_do_to_the_screen() -> None:
    console = terminal()
    console.print(f"Nothing is known of {HOSTNAME}.", markup=False)
    assert written(console) == f"Nothing is known of {SHOWN}.\n"


def test_the_cells_of_a_table_are_laid_out_as_they_are_shown() -> None:
    console = terminal()
    table = output.add_rows(_with_columns("device", "rows"), [[HOSTNAME, "3"], ["pc-2\nx", "4"]])
    table.add_row(HOSTNAME, "5")
    console.print(table)
    lines = [line.strip() for line in written(console).splitlines() if "pc-" in line]
    assert lines == [f"{SHOWN}  3", r"pc-2\u000ax".ljust(len(SHOWN)) + "  4", f"{SHOWN}  5"]


def test_rich_texts_cannot_move_the_cursor_either() -> None:
    console = terminal()
    console.print(Padding(Text(HOSTNAME), (0, 0, 0, 2)))
    assert r"pc-1\u001b[2J" in written(console)
    assert not {"\x1b", "\x9b", "\u202e"} & set(written(console))


def test_a_progress_bar_still_moves_the_cursor_itself() -> None:
    console = terminal()
    with Progress(console=console, auto_refresh=False) as bars:
        bars.add_task("users", total=1)
        bars.refresh()
        bars.console.print(HOSTNAME, markup=False)
    assert "\x1b[2K" in written(console)
    assert SHOWN in written(console)
    assert "\x1b[2J" not in written(console)


def test_every_console_of_the_program_is_such_a_one() -> None:
    assert isinstance(output.results(), output.VisibleConsole)
    assert isinstance(output.errors(), output.VisibleConsole)


def test_json_for_programs_is_harmless_on_a_screen_and_means_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json("lineage", {"hostname": HOSTNAME, "city": "Łódź"})
    text = capsys.readouterr().out
    assert not {"\x1b", "\x9b", "\u202e", "\u2028"} & set(text)
    assert "Łódź" in text
    assert json.loads(text) == {"format": "lineage 1", "hostname": HOSTNAME, "city": "Łódź"}


def _with_columns(*names: str) -> output.Table:
    table = output.table()
    for name in names:
        table.add_column(name)
    return table
