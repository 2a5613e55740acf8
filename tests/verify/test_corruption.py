"""Whatever is changed by itself in the target, in a map, in a sequence or in legacy: a verification finds it and names the row."""

import os
import random
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain

import pytest

from remoteiq_etl.verify.engine import verify
from tests.support import migrating
from tests.support.migrating import Migration, specs
from tests.support.server import Server
from tests.verify.conftest import _is_there
from tests.verify.corruption import Corrupter, Corruption

#: `make soak` asks for more rounds, each with a seed of its own.
ROUNDS = int(os.environ.get("CORRUPTION_ROUNDS", "1"))
SEEDS = range(1, 2) if ROUNDS == 1 else [random.SystemRandom().randrange(10**6) for _ in range(ROUNDS)]
KINDS: dict[str, Callable[[Corrupter], Iterator[Corruption]]] = {
    "cells": lambda one: chain(one.cells(), one.legacy_cells(_keys_of), one.sequences(), one.columns()),
    "rows": Corrupter.rows,
    "entries": lambda one: chain(one.entries(), one.counts()),
}
AT_LEAST = {"cells": 75, "rows": 38, "entries": 76}


@cache
def _key_columns() -> dict[str, tuple[str, ...]]:
    return {source.name: source.key_columns for spec in specs().values() for source in spec.streamed if source.primary}


def _keys_of(table: str) -> tuple[str, ...] | None:
    """The key of a legacy table of whose rows some target table gives account."""
    return _key_columns().get(table)


@pytest.fixture
def corrupted(server: Server, edge_template: str) -> Iterator[Migration]:
    legacy = server.clone("edge", _is_there)
    migration = migrating.migrated_target(server, legacy)
    yield migration
    migration.target.drop()
    legacy.drop()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_corruption_is_found_and_named(corrupted: Migration, kind: str, seed: int) -> None:
    """One in each table, and one verification of all of them: about 200 in three."""
    corrupter = Corrupter(corrupted, random.Random(seed))  # noqa: S311  # no secret
    made = list(KINDS[kind](corrupter))
    findings = [finding for table in verify(corrupted.plan).tables for finding in table.findings]
    missed = [one.what for one in made if not any(map(one.is_named_by, findings))]
    assert missed == [], f"seed {seed}"
    assert len(made) >= AT_LEAST[kind]
