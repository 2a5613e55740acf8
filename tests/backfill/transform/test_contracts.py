"""Contracts name each failing row and lose none."""

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remoteiq_etl.backfill.transform.contracts import Contract, coerced
from remoteiq_etl.frames.dtypes import INTEGER, TEXT, TIMESTAMP, arrow_type, frame
from schemas import legacy, target

ID = "f47ac10b-58cc-4372-a567-0e02b2c3d479"


def runs(**columns: list[object]) -> pd.DataFrame:
    good = {"id": [ID], "assignment_id": [ID], "status": ["passed"], "severity": ["info"]}
    return frame({**good, **columns})


@pytest.mark.parametrize(
    ("columns", "column"),
    [
        ({"status": ["excellent"]}, "status"),
        ({"status": [None]}, "status"),
        ({"assignment_id": ["7"]}, "assignment_id"),
        ({"assignment_id": [ID.upper()]}, "assignment_id"),
        ({"id": [None]}, "id"),
    ],
)
def test_a_broken_promise_names_its_row_and_column(columns: dict[str, list[object]], column: str) -> None:
    contract = Contract.of_target(target.check_runs)
    rows = pd.concat([runs(), runs(**columns), runs()], ignore_index=True)
    _, failures = contract.split(rows)
    assert {(failure.row, failure.column) for failure in failures} == {(1, column)}


def test_a_null_for_a_column_with_a_default_is_no_failure() -> None:
    rows = runs().assign(started_at=pd.Series([None], dtype=TIMESTAMP))
    assert Contract.of_target(target.check_runs).split(rows)[1] == []


def test_the_source_contract_asks_for_types_and_not_null() -> None:
    contract = Contract.of_legacy(legacy.agent_software)
    row = {"id": ["1"], "agent_id": ["x"], "name": [None], "updated_at": ["2024-01-01T00:00:00Z"]}
    typed, failures = contract.split(frame(row))
    assert {(failure.row, failure.column) for failure in failures} >= {(0, "agent_id"), (0, "name")}
    assert str(typed["id"].dtype) == "int64[pyarrow]"


def test_failures_never_hold_the_value() -> None:
    _, failures = Contract.of_target(target.check_runs).split(runs(status=["hunter2"]))
    assert all("hunter2" not in failure.check for failure in failures)


@given(st.lists(st.one_of(st.integers(-(2**40), 2**40).map(str), st.just("odd"), st.none()), max_size=15))
def test_cells_are_coerced_one_by_one(values: list[str | None]) -> None:
    column, failed = coerced(pd.Series(values, dtype=TEXT), pa.int32())
    for position, (value, cell) in enumerate(zip(values, column, strict=True)):
        fits = value not in (None, "odd") and -(2**31) <= int(value) < 2**31
        assert (position in failed) == (value is not None and not fits)
        assert (cell is pd.NA) != fits
        assert not fits or cell == int(str(value))


def test_a_column_of_the_right_type_is_left_alone() -> None:
    column = pd.Series([1, None], dtype=INTEGER)
    same, failed = coerced(column, pa.int64())
    assert same is column
    assert not failed


def test_every_column_of_both_schemas_has_an_arrow_type() -> None:
    types = {
        str(arrow_type(column.type))
        for side in (legacy, target)
        for table in side.metadata.tables.values()
        for column in table.columns
    }
    assert types == {
        "string",
        "int16",
        "int32",
        "int64",
        "bool",
        "timestamp[us, tz=UTC]",
        "binary",
        "list<item: string>",
    }
