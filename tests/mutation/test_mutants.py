"""Changing any one rule breaks a test: a sample of the mutants of every module; `make mutation` runs them all."""

import ast
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.mutation import imports
from tests.mutation.calls import NOTE, Calls, noting
from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.operators import mutants
from tests.mutation.sample import sampled

MODULES = sorted(imports.tested())
MIDDLE = len(MODULES) // 2


# Each part runs the unchanged tests of its modules once, which takes longer than the mutants: few parts, one per core.
@pytest.mark.slow("runs the tests of every transform, whole and for each mutant")
@pytest.mark.parametrize("modules", [MODULES[:MIDDLE], MODULES[MIDDLE:]], ids=["first half", "second half"])
def test_changing_one_rule_breaks_a_test(modules: list[str]) -> None:
    """Of every module, and of every table of words, some rules are changed; a test of the module fails each time."""
    found = subprocess.run(
        [sys.executable, "-m", "tests.mutation", *modules],
        cwd=imports.ROOT,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("module", [name for name in imports.tested() if sampled(name)])
def test_every_module_with_rules_has_tests(module: str) -> None:
    assert imports.tests_of(module)


def test_every_equivalent_mutant_is_one() -> None:
    """The list names mutants that exist: what it says of a rule that was changed since must be thought over."""
    unknown = {
        (module, label)
        for module, reasons in EQUIVALENT.items()
        for label in {*reasons}
        - {each.label for each in mutants(module, ast.parse(imports.source(module).read_bytes()))}
    }
    assert unknown == set()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("status == 'closed'", "status != 'closed'"),
        ("seen < limit", "seen <= limit"),
        ("a & ~b", "a | ~b"),
        ("a & ~b", "a & b"),
        ("not known", "known"),
        ("a and b", "a or b"),
        ("first_of(started, created)", "first_of(created, started)"),
        ("filled(batch, created, 'created_at', updated)", "filled(batch, updated, 'created_at', created)"),
        ("user.fillna(other)", "other.fillna(user)"),
        ("rows.sort_values('id')", "rows.sort_values('id', ascending=False)"),
        ("rows.sort_values('id', ascending=False)", "rows.sort_values('id', ascending=True)"),
        ("rows.sort_values(['created_at', 'id'])", "rows.sort_values(['created_at'])"),
        ("rows.drop_duplicates('id')", "rows.drop_duplicates('id', keep='last')"),
        ("sorted(names)", "sorted(names, reverse=True)"),
        ("max(uids)", "min(uids)"),
        ("WORDS = {'amd64': 'x64'}", "WORDS = {'amd64': 'x64~'}"),
        ("WORDS = {'amd64': 'x64'}", "WORDS = {}"),
        ("KINDS = {'ping', 'port'}", "KINDS = {'port'}"),
        ("DAYS = 90", "DAYS = 91"),
        ("STATUS = ValueMap('s', {'new': 'open', 'closed': 'closed'})", "STATUS = ValueMap('s', {'closed': 'closed'})"),
        (
            "STATUS = ValueMap('s', {'new': 'open', 'closed': 'closed'})",
            "STATUS = ValueMap('s', {'new': 'closed', 'closed': 'closed'})",
        ),
        ("STATUS = ValueMap('s', {'new': 'open'}, null='open')", "STATUS = ValueMap('s', {'new': 'open'})"),
        ("batch.keep(lossy, 'status')", "pass"),
        ("batch.quarantine(unknown, 'status')", "pass"),
        ("batch['closed_at'] = batch['updated_at']", "pass"),
    ],
)
def test_rules_are_changed_one_at_a_time(before: str, after: str) -> None:
    """Each kind of change is among those that are made."""
    assert after in changes(before)


@pytest.mark.parametrize(
    "untouched", ["'''Says what it is.'''", "import os", "raise ValueError('x')", "zip(a, b, strict=True)"]
)
def test_what_states_no_rule_is_left_alone(untouched: str) -> None:
    assert changes(untouched) <= {"pass"}


def test_a_function_notes_its_call_for_the_test_that_runs() -> None:
    """Under the name that mutants give it: methods and inner functions with what they are in."""
    text = "def f():\n    'Doc.'\n    if True:\n        def g(): pass\n    return g()\nclass C:\n    def m(self): return [1 for _ in 'ab']"
    calls, tree = Calls(), noting("example", ast.parse(text))
    found: dict[str, Any] = {NOTE: calls.note}
    exec(compile(ast.fix_missing_locations(tree), "example", "exec"), found)  # noqa: S102 - the text above
    found["C"]().m()
    with calls.of("one"):
        found["f"]()
    with calls.of("another"):
        found["C"]().m()
    assert calls.by_test == {"one": {("example", "f"), ("example", "f.g")}, "another": {("example", "C.m")}}


def changes(text: str) -> set[str]:
    """A text with each of its mutations, all of which compile: what does not would count as noticed."""
    found = set()
    for number in range(len(mutants("example", ast.parse(text)))):
        tree = ast.parse(text)
        mutants("example", tree)[number].apply()
        compile(ast.fix_missing_locations(tree), "example", "exec")
        found.add(ast.unparse(tree))
    return found
