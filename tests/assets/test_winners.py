from assets.shared.winners import GROUP, decide_winners, winners_of
from remoteiq_etl.frames.dtypes import frame
from remoteiq_etl.spec.batch import KEY
from remoteiq_etl.spec.decisions import Decision, StoredDecisions, Warned
from tests.assets.builders import batch_of

ROWS = frame({KEY: ["a", "b", "c", "d"], GROUP: ["x", "x", "y", None]})


def recorded(winner: str, group: str = "x") -> StoredDecisions:
    return StoredDecisions({("names", group): Decision("names", group, "earlier", {"winner": winner})})


def test_the_first_row_of_a_group_wins() -> None:
    """Rows come best first; a row without a group takes no part."""
    found = decide_winners(ROWS, StoredDecisions(), "names", "oldest")
    assert found.winner == {"x": "a", "y": "c"}
    assert found.losers == {"b": "a"}
    assert found.warnings == []
    assert {(d.legacy_table, d.legacy_key, d.rule, d.values["winner"]) for d in found.decisions} == {
        ("names", "x", "oldest", "a"),
        ("names", "y", "oldest", "c"),
    }


def test_a_recorded_winner_stays() -> None:
    """A recorded winner stays, unchanged, and the row that would win today is told."""
    found = decide_winners(ROWS, recorded("b"), "names", "oldest")
    assert found.winner["x"] == "b"
    assert found.losers == {"a": "b"}
    assert found.warnings == [Warned("decided_otherwise_today", "names", "a")]
    assert recorded("b").get("names", "x") in found.decisions
    assert decide_winners(ROWS, recorded("a"), "names", "oldest").warnings == []


def test_a_winner_that_is_gone_is_replaced() -> None:
    """The decision is taken again when the row that won is gone, or belongs to another group now."""
    for gone in (recorded("z"), recorded("c"), recorded("a", group="w")):
        found = decide_winners(ROWS, gone, "names", "oldest")
        assert found.winner == {"x": "a", "y": "c"}
        assert {decision.rule for decision in found.decisions} == {"oldest"}


def test_winners_of_a_batch() -> None:
    """Each row that lost knows the row it gives way to."""
    found = winners_of(batch_of({KEY: ["a", "b"]}), {"b": "a"})
    assert found.isna().tolist() == [True, False]
    assert found[1] == "a"
