"""Text as it is shown to a person: on a terminal, in a log, a mail or a message.

Belongs here: what must not get there as it is. Does not belong here: how something looks (remoteiq_etl.cli.output).
"""

import re

# What moves a terminal's cursor, ends a line of a mail or log, or turns around how the rest of a line is read: the control
# characters C0 (ESC among them), DEL and C1, the marks and overrides of direction, the separators of lines and paragraphs.
_UNSEEN = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """The text with control characters as JSON writes them (\\u001b): what a person may be shown. Lines and tabs stay."""
    return _UNSEEN.sub(_escaped, text)


def one_line(text: str) -> str:
    """`visible`, and in one line: what comes from data cannot begin a line of its own."""
    return visible(text).replace("\n", r"\u000a").replace("\t", r"\u0009")


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
