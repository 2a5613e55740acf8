"""Every row of a batch ends in exactly one outcome."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from remoteiq_etl.frames.dtypes import frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.outcomes import Outcome
from tests.assets.builders import outcomes


def batch_of(count: int) -> Batch:
    return Batch(frame({KEY: [str(n) for n in range(count)], "parent": [f"p{n}" for n in range(count)]}))


masks = st.lists(st.booleans(), min_size=5, max_size=5)


@given(st.lists(st.tuples(st.sampled_from(["quarantine", "filter", "archive_only", "merge"]), masks), max_size=6))
def test_rows_in_equal_rows_out_plus_disposals(steps: list[tuple[str, list[bool]]]) -> None:
    batch = batch_of(5)
    batch["x"] = 1
    for method, mask in steps:
        getattr(batch, method)(pd.Series(mask), "rule")
    assert len(batch.rows()) + len(batch.disposals) == 5
    assert {disposal.key for disposal in batch.disposals.values()}.isdisjoint(batch.rows()[KEY])


def test_columns_are_carried_as_they_are() -> None:
    """Under their own name, or under the one that the target has for them; nulls stay nulls."""
    batch = Batch(frame({KEY: ["1", "2"], "name": ["a", None], "os": ["linux", "windows"]}))
    batch.carry("name", operating_system="os")
    rows = batch.rows()
    assert rows.columns.to_list() == [KEY, "name", "operating_system"]
    assert rows["name"].isna().to_list() == [False, True]
    assert rows["operating_system"].to_list() == ["linux", "windows"]


def test_the_first_reason_given_to_a_row_stands() -> None:
    batch = batch_of(1)
    batch.filter(pd.Series([True]), "first")
    batch.quarantine(pd.Series([True]), "second")
    assert outcomes(batch) == {"0": ("filtered", "first")}


def test_a_mask_with_nulls_means_no() -> None:
    batch = batch_of(2)
    batch.quarantine(pd.Series([pd.NA, True], dtype="boolean"), "rule")
    assert list(batch.disposals) == [1]


def test_parents_decide_what_becomes_of_a_child() -> None:
    batch = batch_of(4)
    lookup = Lookup.of({"p0": "new"}, quarantined=frozenset({"p1"}), deleted=frozenset({"p2"}))
    batch["parent_id"] = batch.parent("parent", lookup, "parents")
    assert batch.rows()["parent_id"].to_list() == ["new"]
    assert outcomes(batch) == {
        "1": ("quarantined", "parent_quarantined"),
        "2": ("filtered", "parent_deleted_in_target"),
        "3": ("held", "parent_missing"),
    }
    assert batch.disposals[3].parent == ("parents", "p3")


def test_a_null_parent_is_quarantined_where_one_is_needed() -> None:
    batch = Batch(frame({KEY: ["1"], "parent": [None]}))
    batch.parent("parent", Lookup.of({}), "parents")
    assert outcomes(batch) == {"1": ("quarantined", "parent_null")}


def test_kept_values_leave_nulls_out_and_name_their_row() -> None:
    batch = Batch(frame({KEY: ["1", "2", "3"], "note": ["a", None, "c"]}))
    batch.keep(pd.Series([True, True, False]), "note", "no_home")
    assert [(kept.key, kept.column, kept.value, kept.rule) for kept in batch.archive] == [("1", "note", "a", "no_home")]


def test_a_row_without_a_home_is_kept_with_every_value_that_it_has() -> None:
    """Column by column, without what the extract added; a row that was disposed of before is left alone."""
    columns = {KEY: ["1", "2", "3"], "_hash": ["x"] * 3, "note": ["a", "b", None], "other": ["c", "d", "e"]}
    batch = Batch(frame(columns))
    batch.filter(pd.Series([True, False, False]), "filtered")
    batch.archive_only(pd.Series([True, False, True]), "second")
    assert outcomes(batch) == {"1": ("filtered", "filtered"), "3": ("archived", "second")}
    assert [(kept.key, kept.column, kept.value, kept.rule) for kept in batch.archive] == [("3", "other", "e", "second")]


def test_warnings_count_rows() -> None:
    batch = batch_of(3)
    batch.warn(pd.Series([True, False, True]), "odd")
    batch.warn(pd.Series([False, False, False]), "never")
    assert batch.warnings == {"odd": 2}


def test_merging_names_the_winner() -> None:
    batch = batch_of(2)
    batch.merge(pd.Series([False, True]), "equal_name", pd.Series(["", "0"]))
    assert batch.disposals[1].into == "0"
    assert batch.disposals[1].outcome == Outcome.MERGED
