"""A sample of the matrix, the same cells each time; `make soak` draws others."""

import random
from collections.abc import Iterator

import pytest

from tests.hostile.outcome import QUARANTINED, REFUSED, RIGHT, play
from tests.hostile.sides import Ground
from tests.hostile.surroundings import VALUES, Cell
from tests.support.server import Server

#: Each with the outcomes that it must have beside others.
SAMPLE = (
    (Cell("hostile", "SQL_ASCII", "nothing", "keeps users out", "a column anew"), {RIGHT, QUARANTINED}),
    (Cell("plain", "EUC_JP", "of the reader", "refuses jobs", "a narrower target"), {RIGHT, QUARANTINED, REFUSED}),
    (Cell("hostile", "WIN1252", "of the writer", "none", "rows alone"), {REFUSED}),
)


@pytest.fixture(scope="module")
def ground(server: Server) -> Iterator[Ground]:
    ground = Ground(server)
    yield ground
    ground.drop()


@pytest.mark.parametrize("number", range(len(SAMPLE)), ids=[f"{cell.encoding}, {cell.change}" for cell, _ in SAMPLE])
def test_a_cell_is_right_or_quarantined_or_refused_and_never_green_with_less(ground: Ground, number: int) -> None:
    cell, expected = SAMPLE[number]
    values = tuple(random.Random(number).sample(VALUES, 10))  # noqa: S311  # no secret: the same each time
    assert set(play(ground, Cell(**{**vars(cell), "values": values}))) == expected
