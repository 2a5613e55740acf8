"""Control characters are shown, never obeyed."""

import pytest

from remoteiq_etl.frames.shown_text import one_line, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b[31mpc-1", r"\u001b[2J\u001b[31mpc-1"),
        ("\x9b2J\x7f\x00\x07", r"\u009b2J\u007f\u0000\u0007"),
        ("gpj\u202eexe.\u2066", r"gpj\u202eexe.\u2066"),
        ("a\u2028b\u2029c\x85d\r", r"a\u2028b\u2029c\u0085d\u000d"),
        ("Żółw “日本” 👩\u200d🔧\n\tx", "Żółw “日本” 👩\u200d🔧\n\tx"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_as_json_writes_it(text: str, shown: str) -> None:
    """Letters of every script, lines and tabs stay."""
    assert visible(text) == shown
    assert visible(shown) == shown
    assert one_line(text) == shown.replace("\n", r"\u000a").replace("\t", r"\u0009")
