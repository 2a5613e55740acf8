"""Sample: which mutants the normal suite runs, the same ones in every run as long as the rules stay.

A mutant's place in the order is a hash of its name, so that a change of one rule does not exchange the others. Each
value map gives one of its words besides. Does not belong here: judging them (see runner).
"""

import ast
from hashlib import sha256

from tests.mutation import imports
from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.operators import Mutant, mutants

PER_MODULE = 1


def everything(module: str) -> list[str]:
    """The names of all mutants of a module but the equivalent ones."""
    return [mutant.name for mutant in _of(module)]


def sampled(module: str) -> list[str]:
    """Some mutants of a module, and one word of each of its value maps."""
    found = sorted(_of(module), key=lambda mutant: sha256(mutant.name.encode()).digest())
    words = {mutant.value_map: mutant.name for mutant in found if mutant.value_map}
    others = [mutant.name for mutant in found if not mutant.value_map]
    return [*words.values(), *others[:PER_MODULE]]


def _of(module: str) -> list[Mutant]:
    found = mutants(module, ast.parse(imports.source(module).read_bytes()))
    return [mutant for mutant in found if mutant.label not in EQUIVALENT.get(module, {})]
