"""The machine for as long as one likes: python -m tests.machine.soak (make soak).

SOAK_MINUTES says how long (default 10), SOAK_SEED repeats one round. Each round has a seed of its own and prints it before
it begins; the first failure ends it, shrunk to the fewest steps that hypothesis finds. Besides, each round kills an undo at
other statements; so many rounds as there are in a step try all of them.
"""

import os
import secrets
import sys
import time
from itertools import count

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.machine import Machine
from tests.machine.world import Pairs, pairs_on
from tests.support import server
from tests.support.killed_undo import STEP, KilledUndo, killed_undo

#: One round takes about two minutes.
ROUND = settings(
    max_examples=10,
    stateful_step_count=80,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def main() -> None:
    until = time.monotonic() + 60 * float(os.environ.get("SOAK_MINUTES", "10"))
    given = os.environ.get("SOAK_SEED")
    with server.running(place=server.memory()) as started, pairs_on(started) as pairs, killed_undo(started) as killed:
        for number in count(1):
            kill(killed, number)
            play(pairs, number, int(given) if given else secrets.randbelow(2**32))
            if given or time.monotonic() > until:
                break


def play(pairs: Pairs, number: int, chosen: int) -> None:
    """One round. Raises what the machine found."""
    say(f"round {number}: SOAK_SEED={chosen}")
    begun = time.monotonic()
    run_state_machine_as_test(seed(chosen)(lambda: Machine(pairs)), settings=ROUND)
    say(f"round {number}: nothing found in {time.monotonic() - begun:.0f} s")


def kill(killed: KilledUndo, number: int) -> None:
    """One undo for every STEPth statement, each killed there and resumed."""
    statements = range(1 + (number - 1) % STEP, killed.statements + 1, STEP)
    say(f"round {number}: undos are killed at statement {statements[0]} and every {STEP}th after it")
    for statement in statements:
        killed.resumed_at(statement)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
