"""Whose row a permission key is, decided from what was recorded and what has a row."""

from assets.access.rules.permission_successors import having_back, taking_over_words
from remoteiq_etl.spec.decisions import Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import uid

TAKES_OVER = Decision("permissions", uid(1), "takes_over_word", {"inherits": ["derived", "odd"]}, "odd")
TAKEN = Decision("derived", "odd", "taken_over", {}, "odd")
HAS_BACK = Decision("derived", "odd", "has_row_back", {"inherits": ["permissions", uid(1)]}, "odd")
WON = Decision("permissions.key", "odd", "oldest", {"winner": uid(1)})


def recorded(*decisions: Decision) -> StoredDecisions:
    return StoredDecisions({(one.legacy_table, one.legacy_key): one for one in decisions})


def context(name: str, *keys: str) -> Context:
    return Context(lookups={("permissions", name): Lookup.of(dict.fromkeys(keys, "odd"))})


def test_a_permission_takes_the_row_of_a_word_over() -> None:
    """Also when the word had it back meanwhile; a key that no word made a row of is nobody's to take."""
    made = context("derived", "odd")
    assert list(taking_over_words({"odd": uid(1)}, recorded(), made)) == [TAKES_OVER, TAKEN]
    assert list(taking_over_words({"odd": uid(1)}, recorded(HAS_BACK), made)) == [TAKES_OVER, TAKEN]
    assert list(taking_over_words({"other": uid(1)}, recorded(), made)) == []


def test_a_row_is_taken_over_once() -> None:
    """Another winner of the key takes it from the former one, not from the word."""
    held = recorded(TAKES_OVER, TAKEN)
    assert list(taking_over_words({"odd": uid(2)}, held, context("derived", "odd"))) == []


def test_a_word_has_its_row_back() -> None:
    """From the permission that won last, also while winners are chosen anew, and whoever had the row first."""
    expected = [HAS_BACK, Decision("permissions", uid(1), "lapsed")]
    written = context("permissions", uid(1))
    for known in (recorded(WON), recorded(WON, TAKES_OVER, TAKEN), recorded(WON).redecided(["permissions.key"])):
        assert list(having_back(["odd"], [], known, written)) == expected


def test_a_word_whose_key_no_permission_had_gets_nothing_from_one() -> None:
    """Nor from one that never had a row."""
    assert list(having_back(["odd"], [], recorded(), context("permissions", uid(1)))) == []
    assert list(having_back(["odd"], [], recorded(WON), context("permissions", uid(2)))) == []


def test_a_permission_that_has_another_key_now_takes_its_row_along() -> None:
    """Both ways: it takes no row over by a decision, because its own one moves, and the word gets no row of it."""
    elsewhere = Context(
        lookups={
            ("permissions", "permissions"): Lookup.of({uid(1): "former"}),
            ("permissions", "derived"): Lookup.of({"odd": "odd"}),
        }
    )
    assert list(taking_over_words({"odd": uid(1)}, recorded(), elsewhere)) == [TAKEN]
    assert list(having_back(["odd"], [uid(1)], recorded(WON, TAKES_OVER, TAKEN), elsewhere)) == []
