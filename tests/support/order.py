"""The order of the tests for several workers.

Each worker begins with an equal share of the collected tests, and one that is done takes half of what another has left,
from its end. A module that is divided so has its databases made by both, and a long test that is begun last is waited for: so
whole modules come first in each share, and the tests of transforms and their means, which are many, short and need no database,
are what is left to be divided.
"""

from collections.abc import Iterable
from itertools import groupby, islice

import pytest

SHORT = ("tests/assets/", "tests/frames/", "tests/spec/", "tests/sensitive/", "tests/backfill/")


def spread(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """The same tests in an order of which equal parts suit so many workers; those of a module keep theirs."""
    modules = [list(tests) for _, tests in groupby(items, key=lambda item: item.path)]
    shares = _shares([module for module in modules if not _is_short(module)], workers)
    short = iter([item for module in modules if _is_short(module) for item in module])
    for share in shares[:-1]:
        share.extend(islice(short, max(0, len(items) // workers - len(share))))
    shares[-1].extend(short)
    return [item for share in shares for item in share]


def _shares(modules: Iterable[list[pytest.Item]], workers: int) -> list[list[pytest.Item]]:
    shares: list[list[pytest.Item]] = [[] for _ in range(workers)]
    for module in modules:
        min(shares, key=len).extend(module)
    return shares


def _is_short(module: list[pytest.Item]) -> bool:
    return all(item.nodeid.startswith(SHORT) and "server" not in item.fixturenames for item in module)
