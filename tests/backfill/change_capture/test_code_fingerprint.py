"""The code part of a fingerprint is the same in every process and changes with what a declaration says."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import literal, select

from remoteiq_etl.backfill.change_capture.code_fingerprint import code_fingerprint
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.column_guards import OnceSet
from remoteiq_etl.spec.dispositions import archived, retired
from remoteiq_etl.spec.table import Follow, Source, TableSpec
from remoteiq_etl.spec.transform_context import Context
from remoteiq_etl.spec.value_map import ValueMap
from schemas import legacy, target
from tests.support.migrating import specs

ALL = (
    "from remoteiq_etl.backfill.change_capture.code_fingerprint import code_fingerprint\n"
    "from tests.support.migrating import specs\n"
    "print(*(code_fingerprint(spec) for _, spec in sorted(specs().items())))\n"
)


def carried(batch: Batch, _context: Context) -> Batch:
    return batch


def shortened(batch: Batch, _context: Context) -> Batch:
    return Batch(batch.legacy[1:])


SPEC = TableSpec(
    target=target.permissions,
    grain="one row per permission",
    sources=(Source(legacy.permissions, carried),),
    value_maps=(ValueMap("words", {"a": "1"}),),
    dispositions={"permissions.x": archived("no home")},
)


def with_source(**options: object) -> TableSpec:
    return replace(SPEC, sources=(replace(SPEC.streamed[0], **options),))  # type: ignore[arg-type]


SAME = {
    "texts for readers": replace(SPEC, grain="rows", rules={"a": "b"}, lineage={"a": ("b.c",)}),
    "why a column is archived": replace(SPEC, dispositions={"permissions.x": archived("nobody wants it")}),
    "columns that a live table lacks": with_source(absent=frozenset({"label"})),
    "the order of a table of words": replace(SPEC, value_maps=(ValueMap("words", {"a": "1"}),)),
}
OTHER = {
    "a transform": with_source(transform=shortened),
    "the key": with_source(key=("label",)),
    "rows that are followed": with_source(follows=(Follow("id", legacy.roles),)),
    "a lookup": replace(SPEC, lookups=(("users", "users"),)),
    "a column guard": replace(SPEC, column_guards=(OnceSet("label"),)),
    "a word": replace(SPEC, value_maps=(ValueMap("words", {"a": "2"}),)),
    "what becomes of a column": replace(SPEC, dispositions={"permissions.x": retired("no home")}),
    "the version": replace(SPEC, version="2"),
}


@pytest.mark.parametrize("spec", SAME.values(), ids=SAME.keys())
def test_stays_the_same(spec: TableSpec) -> None:
    assert code_fingerprint(spec) == code_fingerprint(SPEC)


@pytest.mark.parametrize("spec", OTHER.values(), ids=OTHER.keys())
def test_changes(spec: TableSpec) -> None:
    assert code_fingerprint(spec) != code_fingerprint(SPEC)


def test_every_table_has_another() -> None:
    assert len({code_fingerprint(spec) for spec in specs().values()}) == len(specs())


def test_a_statement_of_a_decide_step_is_part_of_it() -> None:
    spec = specs()["checks"]
    assert spec.decide is not None
    reads = {**spec.decide.reads, "checks": select(legacy.checks.c.id).where(legacy.checks.c.name == literal("a"))}
    assert code_fingerprint(replace(spec, decide=replace(spec.decide, reads=reads))) != code_fingerprint(spec)


def test_a_transform_that_another_function_makes_counts_with_what_it_was_made_with() -> None:
    def made(rows: int) -> Callable[[Batch, Context], Batch]:
        return lambda batch, _context: Batch(batch.legacy[rows:])

    first, second, again = (code_fingerprint(with_source(transform=made(rows))) for rows in (1, 2, 1))
    assert first == again
    assert first != second


def test_a_value_that_cannot_be_told_is_refused() -> None:
    with pytest.raises(TypeError, match="holds a object"):
        code_fingerprint(replace(SPEC, version=object()))  # type: ignore[arg-type]


def test_is_the_same_in_every_process() -> None:
    """Hash randomisation gives sets another order in each; addresses are others, too."""
    seed = "1" if os.environ.get("PYTHONHASHSEED") == "0" else "0"
    command = [sys.executable, "-c", ALL]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    other = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert other.stdout.split() == [code_fingerprint(spec) for _, spec in sorted(specs().items())]
