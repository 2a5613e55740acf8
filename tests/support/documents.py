"""The Markdown of the project as data: pages, links, anchors, blocks, tables, and prose without code.

Belongs here: reading Markdown. Does not belong here: what must be true of it.
"""

import re
from functools import cache
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```([\w-]*)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)


@cache
def pages() -> tuple[Path, ...]:
    """Every Markdown file of the project but what was installed or made."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return tuple(sorted(found))


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of one language."""
    return [text for found, text in _FENCE.findall(page.read_text(encoding="utf-8")) if found == language]


def links(page: Path) -> list[str]:
    """The relative links, pictures included, outside of code."""
    text = _without_code(page.read_text(encoding="utf-8"))
    return [link for link in _LINK.findall(text) if not re.match(r"[a-z]+:", link)]


@cache
def anchors(page: Path) -> frozenset[str]:
    """What a link may name behind its #: the headings, as GitHub spells them."""
    if page.suffix != ".md":
        return frozenset()
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    found: list[str] = []
    for heading in _HEADING.findall(text):
        plain = re.sub(r"\]\([^)]*\)|[`*\[]", "", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        again = found.count(slug)
        found.append(f"{slug}-{again}" if again else slug)
    return frozenset(found)


def prose(page: Path) -> str:
    """The text without code blocks, code spans and the targets of links."""
    return _LINK.sub("]", _without_code(page.read_text(encoding="utf-8")))


def table(page: Path, first: str) -> list[list[str]]:
    """The rows of the table whose first heading is `first`."""
    lines = iter(page.read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line.startswith(f"| {first} |"):
            next(lines)
            return [_cells(row) for row in takewhile(lambda found: found.startswith("|"), lines)]
    raise LookupError(f"{name(page)}: there is no table that begins with {first!r}")


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def _without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text))
