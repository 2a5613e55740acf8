"""--quick, for the inner loop: the tests that need no server, and those that look at one whole backfill.

What a test needs is told by its fixtures. Two marks say what they cannot: `slow` that a test takes long without one, as it
starts servers or other programs of its own, and `one_backfill` that the backfill which it looks at is the one of --quick.
Belongs here: which tests these are. Does not belong here: their order (see order).
"""

import pytest

#: What every fixture with a database comes from.
SERVER = "server_pool"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick", action="store_true", help="run what needs no server, and what looks at one whole backfill"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--quick"):
        kept = [item for item in items if is_quick(item)]
        config.hook.pytest_deselected(items=[item for item in items if not is_quick(item)])
        items[:] = kept


def is_quick(item: pytest.Item) -> bool:
    if item.get_closest_marker("slow"):
        return False
    return bool(item.get_closest_marker("one_backfill")) or SERVER not in getattr(item, "fixturenames", ())
