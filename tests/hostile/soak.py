"""The matrix for as long as one likes: python -m tests.hostile.soak (make soak).

SOAK_MINUTES says how long (default 10), HOSTILE_SEED repeats one round. Each round has a seed of its own and prints it before it
begins; the first failure ends it, with the cell that was played.
"""

import os
import secrets
import sys
import time
from itertools import count

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.hostile.outcome import play
from tests.hostile.sides import Ground
from tests.hostile.surroundings import CELLS, Cell
from tests.support import server

#: Cells of a round, of some seconds each. Shrinking a cell plays it again and again, and its values are few: it is left out.
CELLS_OF_ROUND = 12
ROUND = settings(
    max_examples=CELLS_OF_ROUND,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def main() -> None:
    until = time.monotonic() + 60 * float(os.environ.get("SOAK_MINUTES", "10"))
    given_seed = os.environ.get("HOSTILE_SEED")
    with server.running(place=server.memory()) as started:
        ground = Ground(started)
        for number in count(1):
            play_round(ground, number, int(given_seed) if given_seed else secrets.randbelow(2**32))
            if given_seed or time.monotonic() > until:
                break


def play_round(ground: Ground, number: int, chosen: int) -> None:
    """One round. Raises what was found."""
    say(f"hostile round {number}: HOSTILE_SEED={chosen}")
    begun = time.monotonic()

    @ROUND
    @seed(chosen)
    @given(CELLS)
    def cells(cell: Cell) -> None:
        play(ground, cell)

    cells()
    say(f"hostile round {number}: nothing found in {time.monotonic() - begun:.0f} s")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
