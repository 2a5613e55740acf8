"""A few hundred steps of the machine, the same ones each time."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.machine import Machine
from tests.machine.world import Pairs, pairs_on
from tests.support.server import Server

EXAMPLES, STEPS = 8, 25
SETTINGS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=False,
    phases=[Phase.generate],  # shrinking takes many minutes: make soak does it
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def pairs(server: Server) -> Iterator[Pairs]:
    with pairs_on(server) as found:
        yield found


def test_whatever_happens_the_target_is_as_the_model_says(pairs: Pairs) -> None:
    """The rules and invariants of the machine assert, after each step."""
    run_state_machine_as_test(lambda: Machine(pairs), settings=SETTINGS)
