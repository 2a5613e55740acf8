"""The machine: a pair of databases for each example, and every rule."""

from hypothesis.stateful import invariant

from tests.machine.target_rules import TargetRules
from tests.machine.undo_rules import UndoRules
from tests.machine.world import Pairs, World


class Machine(TargetRules, UndoRules):
    """Whoever writes what, and whenever a run ends: the target is as the model says. One more kind of step is one more base."""

    def __init__(self, pairs: Pairs) -> None:
        super().__init__()
        self.world = World(pairs)

    @invariant()
    def a_step_is_counted(self) -> None:
        self.steps_since_run += 1

    def teardown(self) -> None:
        self.world.close()
