"""The index of the page's search: legacy keys with what became of them, as far as they fit into a page.

Belongs here: which keys are in it, and their compact form. Does not belong here: searching (report.js), and explaining a row
(remoteiq_etl.lifecycle.explain).
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.report.model import Index
from remoteiq_etl.report.reading import Reader

SQL = statements(__file__)

#: Keys that are looked at at all.
MOST_KEYS = 50_000
#: Characters of the index: a page of less than 2 MB opens at once on a phone.
MOST_CHARACTERS = 1_000_000


def index(reader: Reader, keys: int) -> Index:
    """The keys that somebody may have to look up come first, and all others if they fit. `keys`: how many there are."""
    limit = {"limit": MOST_KEYS + 1}
    found = reader.ask(SQL["index_exceptions"], limit)
    complete = keys + len(found) <= MOST_KEYS
    if complete:
        found += reader.ask(SQL["index_migrated"], limit)
    rows, names = packed(found[:MOST_KEYS], MOST_CHARACTERS)
    return Index(names, rows, keys, complete and len(rows) == len(found))


def packed(found: Iterable[Sequence[Any]], most: int) -> tuple[list[list[Any]], list[str]]:
    """Rows with their words replaced by numbers, as many as fit into `most` characters of JSON, and the words."""
    names: dict[str, int] = {}
    rows: list[list[Any]] = []
    size = 0
    for row in _numbered(found, names):
        size += len(json.dumps(row, ensure_ascii=False, separators=(",", ":"))) + 1
        if size > most:
            break
        rows.append(row)
    return rows, list(names)


def _numbered(found: Iterable[Sequence[Any]], names: dict[str, int]) -> Iterator[list[Any]]:
    for legacy_table, key, entity, new_key, fate, rule in found:
        number = [names.setdefault(word, len(names)) for word in (legacy_table, entity, fate, rule)]
        yield [number[0], key, number[1], 0 if new_key == key else new_key, number[2], number[3]]
