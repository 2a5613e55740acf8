"""A frame of legacy rows becomes rows ready for staging, and every row ends in exactly one of good and bad."""

import json
from collections.abc import Callable

import pandas as pd
import pytest

from remoteiq_etl.backfill.context.prepared import ADOPTED, NEW, RULE, PreparedBatch
from remoteiq_etl.backfill.source.extract import UNREADABLE
from remoteiq_etl.backfill.transform.adoption import Adopter
from remoteiq_etl.backfill.transform.contracts import Contract
from remoteiq_etl.backfill.transform.prepare import Contracts, prepare, with_keys
from remoteiq_etl.errors import ContractError
from remoteiq_etl.frames.dtypes import frame
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.spec.batch import KEY, ODD_TIMES, Batch, Kept
from remoteiq_etl.spec.lookup import NOTHING, Lookup
from remoteiq_etl.spec.outcomes import Outcome
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import uid
from tests.support.library import AUTHORS, BOOKS, LEGACY, TAGS, TARGET

CONTEXT = Context()


def of_authors(rows: pd.DataFrame, transform: Callable[[Batch], None], spec: TableSpec = AUTHORS) -> PreparedBatch:
    contracts = Contracts(Contract.of_legacy(LEGACY[spec.name]), Contract.of_target(TARGET[spec.name]))

    def whole(batch: Batch, context: Context) -> Batch:
        transform(batch)
        return batch

    return prepare(rows, spec.name, spec, whole, contracts, CONTEXT)


def authors(*names: str | None) -> pd.DataFrame:
    keys = [uid(number) for number in range(1, len(names) + 1)]
    return frame({KEY: keys, "id": keys, "name": list(names)})


def refused(prepared: PreparedBatch) -> list[tuple[str, Outcome, str, tuple[str, ...], str]]:
    return [(d.key, d.outcome, d.rule, d.columns, d.detail) for d in prepared.disposals]


def test_rows_that_break_a_contract_are_refused_by_name_and_the_rest_goes_on() -> None:
    """First that of the legacy table, then that of the target; the transform sees only what passed the first."""

    def double(batch: Batch) -> None:
        batch.carry("name", id="id")
        batch["id"] = batch["id"].mask(batch["name"] == "no uuid", "x").mask(batch["name"] == "twice", uid(1))

    prepared = of_authors(authors("fine", None, "no uuid", "twice"), double)
    assert list(prepared.rows[KEY]) == [uid(1)]
    assert [(key, rule, columns) for key, _, rule, columns, _ in refused(prepared)] == [
        (uid(2), "source_contract", ("name",)), (uid(3), "target_contract", ("id",)), (uid(4), "target_contract", ("id",)),
    ]  # fmt: skip
    assert prepared.disposals[0].detail == "name: not_nullable"
    assert prepared.disposals[2].detail == "id: unique in the batch"
    assert (prepared.read, len(prepared.legacy)) == (4, 4)


def test_a_value_that_is_no_text_refuses_its_row() -> None:
    rows = authors("fine", r"\303").assign(**{UNREADABLE: [None, '["name"]']})
    prepared = of_authors(rows, lambda batch: batch.carry("id", "name"))
    assert refused(prepared) == [
        (
            uid(2),
            Outcome.QUARANTINED,
            "source_contract",
            ("name",),
            "name: bytes that are no text in the encoding of the legacy database",
        )
    ]


def test_a_time_that_no_column_holds_is_archived_and_counts_as_missing() -> None:
    """Also where the legacy column takes no null: the row is not refused for it."""
    odd = json.dumps({"read_at": "infinity", "title": "x"})
    ids = {KEY: [uid(1)], "id": [uid(1)], "author_id": [uid(101)], "title": [None], "read_at": [None], ODD_TIMES: [odd]}

    def carry(batch: Batch) -> None:
        batch.carry("id", "author_id", "read_at")
        batch["title"] = "untitled"

    prepared = of_authors(frame(ids), carry, BOOKS)
    assert len(prepared.rows) == 1
    assert prepared.archive == [
        Kept(uid(1), name, value, "time_out_of_range") for name, value in json.loads(odd).items()
    ]
    assert prepared.batch is not None
    assert prepared.batch.warnings == {"time_out_of_range": 2}


class Losing(Batch):
    def rows(self) -> pd.DataFrame:
        return super().rows().iloc[:1]


def test_a_transform_that_loses_a_row_is_a_fault_of_the_program() -> None:
    contracts = Contracts(None, Contract.of_target(TARGET["authors"]))

    def lose(batch: Batch, context: Context) -> Batch:
        batch.carry("id", "name")
        return Losing(batch.legacy, batch.columns)

    with pytest.raises(ContractError, match="authors from authors: 2 rows in, 1 good and 0 bad out"):
        prepare(authors("one", "two"), "authors", AUTHORS, lose, contracts, CONTEXT)


def test_a_row_is_kept_adopted_or_derived_and_a_key_of_several_columns_is_a_json_array() -> None:
    rows = frame({KEY: [uid(1), "b", "c"], "id": [uid(1), uid(2), uid(3)], "name": ["Ann", "Ben", "Cy"]})
    adopter = Adopter(AUTHORS, {("ben",): uid(50), ("cy",): uid(60)})
    keyed = with_keys(rows, AUTHORS, "authors", adopter, Lookup.of({"c": uid(3)}), rows)
    assert list(keyed["id"]) == [uid(1), uid(50), uid(3)], "what an earlier run has mapped is not adopted"
    assert (list(keyed[RULE]), list(keyed[ADOPTED])) == (["kept", "derived", "derived"], [False, True, False])
    tags = frame({KEY: ["k"], "book_id": [uid(1)], "tag": ['"x"']})
    assert list(with_keys(tags, TAGS, "book_tags", Adopter(TAGS), NOTHING, tags)[NEW]) == [key_text([uid(1), '"x"'])]
