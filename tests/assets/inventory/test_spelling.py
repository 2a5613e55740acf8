from collections import Counter

from assets.inventory.rules import spelling


def test_most_used_wins() -> None:
    """The spelling used most often wins; of equally frequent ones the first alphabetically."""
    assert spelling.most_used(Counter({"Acme": 1, "ACME": 2})) == "ACME"
    assert spelling.most_used(Counter({"acme": 2, "Acme": 2, "ACME": 1})) == "Acme"
    assert spelling.most_used(Counter()) is None


def test_uses_are_added_up() -> None:
    """Uses of one spelling are added up; a key that is meant but never spelt is there without uses."""
    uses = [("acme", "Acme", 2), ("acme", "ACME", 3), ("acme", "Acme", 2), ("beta", None, 0), (None, "x", 1)]
    assert spelling.by_key(uses) == {"acme": Counter({"Acme": 4, "ACME": 3}), "beta": Counter()}


def test_recorded_spelling_stays_while_it_is_used() -> None:
    """A recorded spelling stays while a row uses it, or no row spells the name; else the most used one."""
    assert spelling.chosen("Acme", Counter({"Acme": 1, "ACME": 9}), "x") == "Acme"
    assert spelling.chosen("Acme", Counter({"ACME": 9}), "x") == "ACME"
    assert spelling.chosen("Acme", Counter(), "x") == "Acme"
    assert spelling.chosen(None, Counter({"ACME": 9}), "x") == "ACME"
    assert spelling.chosen(None, Counter(), "x") == "x"
