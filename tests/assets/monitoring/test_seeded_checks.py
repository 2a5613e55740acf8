"""Checks that arrive under the name of a template."""

from assets.monitoring.rules.seeded_checks import inheriting, taken_over
from assets.shared.seed import SEED, key_of
from remoteiq_etl.spec.decisions import Decision
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context

NAME = "Template: CPU"
CHECK, OTHER, MADE = ("checks", "a"), ("checks", "b"), ("derived", "c")


def context(seeds: dict[str, str] | None = None, **written: dict[str, str]) -> Context:
    """`written`: what the map holds, by legacy table."""
    lookups = {("checks", table): Lookup.of(entries) for table, entries in written.items()}
    return Context(lookups={("checks", SEED): Lookup.of(seeds or {key_of(NAME): "row"}), **lookups})


def test_a_check_with_the_name_of_a_template_takes_its_row() -> None:
    """Defined and synthesized checks alike; the first of several."""
    assert taken_over({CHECK: NAME, OTHER: "Load"}, context()) == {CHECK: key_of(NAME)}
    assert taken_over({MADE: NAME}, context()) == {MADE: key_of(NAME)}
    assert taken_over({CHECK: NAME, MADE: NAME.upper()}, context()) == {CHECK: key_of(NAME)}


def test_a_check_that_was_written_before_takes_nothing() -> None:
    """Neither does a defined nor a synthesized one that has a row of its own."""
    assert taken_over({CHECK: NAME}, context(checks={"a": "own"})) == {}
    assert taken_over({MADE: NAME}, context(derived={"c": "own"})) == {}


def test_a_row_is_taken_once() -> None:
    """A template whose row a check has already is free for no other."""
    assert taken_over({CHECK: NAME}, context(checks={"b": "row"})) == {}
    assert taken_over({CHECK: NAME}, context(derived={"c": "row"})) == {}


def test_the_decision_names_the_row() -> None:
    """The decision of a check that takes a row over names that row, and whose it was; others stay as they are."""
    one, other = Decision("checks", "a", "name", {"name": NAME}), Decision("checks", "b", "name", {"name": "Load"})
    found = inheriting([one, other], {CHECK: key_of(NAME)}, context())
    expected = {"name": NAME, "inherits": [SEED, key_of(NAME)]}
    assert found == [Decision("checks", "a", "name", expected, "row"), other]
