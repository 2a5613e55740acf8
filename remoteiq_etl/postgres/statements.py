"""Named statements: `<module>.sql` beside `<module>.py`, each statement after a line `-- name: word`.

A module reads its own by `SQL = statements(__file__)` and takes one by `SQL["word"]`. Belongs here: finding and reading them.
Does not belong here: any statement.
"""

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from psycopg import sql

from remoteiq_etl.errors import RemoteIQError

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


class Statements:
    """The statements of one file, read when the first is asked for; {placeholders} stand for identifiers and column lists."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __getitem__(self, name: str) -> sql.SQL:
        """One statement. Raises StatementMissing for a name that the file does not have."""
        if name not in self.read:
            raise StatementMissing(
                f"{self.path.name} has no statement {name!r}; it has {', '.join(sorted(self.read))}."
            )
        return self.read[name]

    @cached_property
    def read(self) -> Mapping[str, sql.SQL]:
        """All statements by name."""
        _, *parts = _NAME.split(self.path.read_text(encoding="utf-8"))
        names, texts = parts[::2], parts[1::2]
        if len(set(names)) < len(names):
            raise StatementMissing(f"{self.path.name} names a statement twice: {', '.join(sorted(names))}.")
        return {name: sql.SQL(text.strip() + "\n") for name, text in zip(names, texts, strict=True)}


class StatementMissing(RemoteIQError):
    """A statement is asked for by a name that its file does not have: a fault of the program."""


def statements(module_file: str) -> Statements:
    """The statements beside a module, of which `__file__` is given."""
    return Statements(Path(module_file).with_suffix(".sql"))
