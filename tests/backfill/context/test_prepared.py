"""A batch between transform and merge: taken apart and put together, it loses none of its legacy rows."""

from remoteiq_etl.backfill.context.prepared import PreparedBatch, joined
from remoteiq_etl.frames.dtypes import TEXT, frame
from remoteiq_etl.spec.batch import KEY, Batch, Disposal, Kept
from remoteiq_etl.spec.outcomes import Outcome

DETAIL = "name: not null"


def prepared() -> PreparedBatch:
    """Four legacy rows: two become rows, one is held, one only archived."""
    legacy = frame({KEY: ["a", "b", "c", "d"]})
    batch = Batch(legacy, archive=[Kept("a", "note", "x", "no_home"), Kept("d", "*", "y", "r")])
    batch.warnings["odd"] = 3
    rows = frame({KEY: ["a", "b"], "name": ["Ann", "Ben"]})
    disposals = [Disposal("c", Outcome.HELD, "parent_missing"), Disposal("d", Outcome.ARCHIVED, "r")]
    return PreparedBatch("people", 4, legacy, rows, disposals, batch)


def contents(one: PreparedBatch) -> tuple[int, list[str], list[str], list[str], list[str]]:
    disposed, kept = [d.key for d in one.disposals], [k.key for k in one.archive]
    return one.read, list(one.legacy[KEY]), list(one.rows[KEY]), disposed, kept


def test_halves_have_each_key_once_with_all_that_belongs_to_it() -> None:
    """What is counted of all rows together stays with the first."""
    assert prepared().keys == ["a", "b", "c", "d"]
    first, second = prepared().halves()
    assert contents(first) == (2, ["a", "b"], ["a", "b"], [], ["a"])
    assert contents(second) == (2, ["c", "d"], [], ["c", "d"], ["d"])
    assert first.batch is not None
    assert second.batch is not None
    assert (first.batch.warnings, second.batch.warnings) == ({"odd": 3}, {})


def test_a_refused_batch_quarantines_each_of_its_keys() -> None:
    refused = prepared().refused("value_refused", "SQLSTATE 22P02 of people")
    assert {(d.key, d.outcome, d.rule) for d in refused.disposals} == {
        (key, Outcome.QUARANTINED, "value_refused") for key in "abcd"
    }
    assert (refused.read, len(refused.rows)) == (4, 0)


def test_refused_rows_leave_and_the_others_are_numbered_anew() -> None:
    one = prepared()
    one.refuse({0: ("target_contract", DETAIL)})
    assert (list(one.rows[KEY]), list(one.rows.index)) == (["b"], [0])
    assert one.disposals[-1] == Disposal("a", Outcome.QUARANTINED, "target_contract", (), DETAIL)


def test_parts_that_wait_become_one_batch_for_each_legacy_table() -> None:
    other = PreparedBatch("others", 1, frame({KEY: ["z"]}), frame({KEY: ["z"]}))
    whole = joined([prepared().only([1]), other, prepared().only([0])])
    assert [(one.legacy_table, *contents(one)[:3]) for one in whole] == [
        ("people", 2, ["b", "a"], ["b", "a"]),
        ("others", 1, ["z"], ["z"]),
    ]
    assert whole[0].rows["name"].dtype == TEXT
