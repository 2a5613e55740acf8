"""Contracts of both sides: pandera schemas derived from the table definitions.

Contracts never drop rows: a frame is split by our own row number into good and bad, and good + bad = in. Cells are
coerced first, because a type failure has no row in pandera. Failures name columns and checks, never values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pyarrow.compute as pc
from pandera.errors import SchemaErrors
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.errors import ContractError
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import arrow_type, to_arrow

_NOT_TOO_DEEP = f"at most {json_text.DEEPEST} levels of JSON"


UUID_TEXT = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


@dataclass(frozen=True)
class Failure:
    """One broken promise of one row."""

    row: int
    column: str
    check: str


@dataclass(frozen=True)
class Contract:
    """What every frame of one table must look like. Grain: one contract per table and side.

    `columns` tell the types of all; `schema` has those of which more is promised, because pandera takes its time with every
    column that it is given.
    """

    name: str
    columns: Mapping[str, pandera.Column]
    schema: pandera.DataFrameSchema

    @classmethod
    def of_legacy(cls, table: Table) -> "Contract":
        """The source contract: types and NOT NULL of the legacy definition, and JSON that can be read.

        Its CHECKs are not repeated: value maps judge words.
        """
        columns = {column.name: _legacy_column(column) for column in table.columns}
        return cls._of(f"legacy {table.name}", columns)

    @classmethod
    def of_target(cls, table: Table) -> "Contract":
        """The target contract: types, NOT NULL where no default helps, uuid form and enum labels."""
        columns = {column.name: _column(column, _needed(column), _form(column)) for column in table.columns}
        return cls._of(f"target {table.name}", columns)

    @classmethod
    def _of(cls, name: str, columns: Mapping[str, pandera.Column]) -> "Contract":
        promising = {key: column for key, column in columns.items() if column.checks or not column.nullable}
        return cls(name, columns, pandera.DataFrameSchema(promising, strict=False))

    def split(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Failure]]:
        """The frame with its columns coerced, and the failures of its rows (row = position in the frame).

        A column that the frame lacks is not judged. Raises ContractError when a failure belongs to no row.
        """
        frame = frame.reset_index(drop=True)
        typed, failures = self._typed(frame)
        try:
            self.schema.validate(typed, lazy=True)
        except SchemaErrors as errors:
            failures += self._failures(errors.failure_cases, len(frame))
        return typed, failures

    def _typed(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Failure]]:
        failures: list[Failure] = []
        columns = {str(name): frame[name] for name in frame.columns}
        for name, column in self.columns.items():
            if name in columns:
                wanted = column.metadata["arrow"]
                columns[name], failed = coerced(columns[name], wanted)
                failures += [Failure(row, name, f"type {wanted}") for row in failed]
                if column.metadata["read_as_json"]:
                    failures += [Failure(row, name, _NOT_TOO_DEEP) for row in _too_deep(columns[name])]
        return pd.DataFrame(columns, index=frame.index), failures

    def _failures(self, cases: pd.DataFrame, rows: int) -> list[Failure]:
        found = []
        for case in cases.to_dict("records"):
            if pd.isna(case["index"]) or not 0 <= int(case["index"]) < rows:
                raise ContractError(
                    f"the contract of {self.name} failed for no particular row: column {case['column']}, check {case['check']}."
                    " The transform returned a column of another shape than the table has; this is a fault of the program."
                )
            found.append(Failure(int(case["index"]), str(case["column"]), str(case["check"])))
        return found


#: What Arrow raises of a value that the wanted type cannot hold, or of two types between which it knows no way.
_NO_SUCH_VALUE = (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError)


def _column(column: Column[Any], needed: bool, checks: list[pandera.Check] | None = None) -> pandera.Column:
    return pandera.Column(
        checks=checks,
        nullable=not needed,
        required=False,
        metadata={"arrow": arrow_type(column.type), "read_as_json": False},
    )


def _legacy_column(column: Column[Any]) -> pandera.Column:
    found = _column(column, not column.nullable)
    found.metadata["read_as_json"] = isinstance(column.type, pg.JSON)
    return found


def _too_deep(column: pd.Series) -> list[int]:
    """The positions of the JSON texts that nobody can read; only long ones can be such."""
    long = pc.indices_nonzero(pc.greater(pc.binary_length(to_arrow(column)), 2 * json_text.DEEPEST)).to_pylist()
    return [row for row in long if json_text.is_too_deep(column.iloc[row])]


def _needed(column: Column[Any]) -> bool:
    """A null for a column with a default becomes the default at the insert; a key must be there all the same."""
    return not column.nullable and (column.primary_key or column.server_default is None)


def _form(column: Column[Any]) -> list[pandera.Check]:
    if isinstance(column.type, pg.UUID):
        return [pandera.Check.str_matches(UUID_TEXT)]
    return [pandera.Check.isin(list(column.type.enums))] if isinstance(column.type, pg.ENUM) else []


def coerced(column: pd.Series, wanted: pa.DataType) -> tuple[pd.Series, list[int]]:
    """The column as the wanted Arrow type, and the positions of the cells that could not be brought to it (they become null)."""
    dtype = pd.ArrowDtype(wanted)
    if column.dtype == dtype:
        return column, []
    array = to_arrow(column)
    if array.null_count == len(array):
        array = pa.nulls(len(array), wanted)  # also where no value of the one type could be the other
    try:
        return pd.Series(pd.array(pc.cast(array, wanted), dtype=dtype), index=column.index), []
    except _NO_SUCH_VALUE:
        return _cell_by_cell(array, wanted, column.index)


def _cell_by_cell(array: pa.Array, wanted: pa.DataType, index: pd.Index) -> tuple[pd.Series, list[int]]:
    cells = [_cell(array[row : row + 1], wanted) for row in range(len(array))]
    values = (
        pa.concat_arrays([cell if cell is not None else pa.nulls(1, wanted) for cell in cells])
        if cells
        else pa.nulls(0, wanted)
    )
    failed = [position for position, cell in enumerate(cells) if cell is None]
    return pd.Series(pd.array(values, dtype=pd.ArrowDtype(wanted)), index=index), failed


def _cell(value: pa.Array, wanted: pa.DataType) -> pa.Array | None:
    try:
        return pc.cast(value, wanted)
    except _NO_SUCH_VALUE:
        return None
