"""What decide steps read of the legacy database: once per asset, and with a digest that tells whether it is as before."""

from dataclasses import replace

from sqlalchemy import select

from remoteiq_etl.backfill.change_capture.decision_inputs import DecisionInputs
from remoteiq_etl.backfill.source.selection import Selection
from remoteiq_etl.spec.decisions import Decide, Decided
from remoteiq_etl.spec.dependencies import inputs_of
from remoteiq_etl.spec.table import Follow, Source
from tests.assets.builders import uid
from tests.support.library import AUTHORS, BOOKS, LEGACY, Library

NAMES = {"names": select(LEGACY["authors"].c.id, LEGACY["authors"].c.name)}


def test_a_read_is_made_once_until_the_asset_is_completed(library: Library) -> None:
    inputs = DecisionInputs(library.context)
    context = library.context.transform_context
    first = inputs.frames(AUTHORS, {}, context)["names"]
    assert sorted(first["name"]) == ["Ann", "Ben", "ann"]
    assert inputs.frames(AUTHORS, {}, context)["names"] is first
    inputs.forget()
    assert inputs.frames(AUTHORS, {}, context)["names"] is not first
    assert inputs.frames(BOOKS, {}, context) == {}


def test_of_a_followed_table_only_what_the_selected_rows_name_is_read(library: Library) -> None:
    """Book 5 names Ben."""
    source = replace(BOOKS.streamed[0], follows=(Follow("author_id", LEGACY["authors"]),))
    spec = replace(BOOKS, sources=(source,), decide=Decide(NAMES, lambda *_: Decided()))
    selections = {"books": Selection(keys=frozenset({uid(5)}))}
    found = DecisionInputs(library.context).frames(spec, selections, library.context.transform_context)["names"]
    assert list(found["name"]) == ["Ben"]


def test_a_digest_is_made_of_reads_of_other_tables_and_changes_with_what_they_give(library: Library) -> None:
    """What an asset streams itself is judged by its own rows."""
    inputs = DecisionInputs(library.context)
    assert inputs.digests(AUTHORS, inputs_of(AUTHORS)) == {}
    digests = []
    for query in (NAMES["names"], NAMES["names"].where(LEGACY["authors"].c.name != "Ben")):
        spec = replace(
            AUTHORS,
            sources=(Source(LEGACY["books"], BOOKS.streamed[0].transform),),
            decide=Decide({"names": query}, lambda *_: Decided()),
        )
        inputs.forget()
        digests.append(inputs.digests(spec, inputs_of(spec))["names"])
        assert inputs.digests(spec, inputs_of(spec))["names"] == digests[-1]
    assert digests[0] != digests[1]
