"""The set-wise step: its inputs, its decisions recorded before the first row, and what the map does not take."""

from dataclasses import replace

import pytest
from sqlalchemy import Column, MetaData, Table, Text, func, select

from remoteiq_etl.backfill.change_capture.capture import Capture, ReadPlan
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.backfill.transform.decide import DecideStep
from remoteiq_etl.backfill.transform.lookups import Lookups
from remoteiq_etl.frames.dtypes import frame
from remoteiq_etl.spec.batch import KEY
from remoteiq_etl.spec.decisions import Decide, Decided, Decision, Warned
from tests.assets.builders import uid
from tests.support.library import AUTHORS, LEGACY, TARGET, Library

EVERY = ReadPlan("every row")
SAME = Decision("authors", uid(102), "by_hand", {"why": "because"})
RECORDED = (
    "SELECT legacy_key, rule, decision, new_key::text, state FROM remoteiq_etl.legacy_authors_map"
    " WHERE decision IS NOT NULL ORDER BY 1"
)


def step(library: Library, decided: Decided, **more: object) -> DecideStep:
    declared = Decide({}, lambda *_: decided, **more)  # type: ignore[arg-type]
    context = library.context
    capture, lookups = Capture(context, library.run.sweep), Lookups(context, [])
    return DecideStep(context, capture, lookups, replace(AUTHORS, decide=declared))


def test_decisions_are_recorded_once_and_found_by_the_next_run(own_library: Library) -> None:
    """In the entry of a row that is there as in one of its own. The second time nothing is new."""
    library = own_library
    other = Decision("names", "ann", "equal_name", new_key=uid(101))
    report = TableReport("authors")
    decided = Decided([SAME, other], prepared={"what": "the transforms need"}, warnings=[Warned("odd", "authors", "k")])
    context, rows = step(library, decided).decide(report, EVERY)
    assert library.rows(RECORDED) == [
        (uid(102), "by_hand", {"why": "because"}, uid(102), "live"), ("ann", "equal_name", {}, uid(101), "decided"),
    ]  # fmt: skip
    assert (report.decided, report.decision_warnings, rows) == (2, {"odd": 1}, {})
    assert context.prepared == {"what": "the transforms need"}
    assert context.lookup("authors").decisions == {uid(102): {"why": "because"}}
    step(library, decided).decide(report, EVERY)
    assert report.decided == 0


def test_a_decision_that_changes_is_recorded_and_one_that_does_not_leaves_its_run(library: Library) -> None:
    step(library, Decided([SAME])).decide(TableReport("authors"), EVERY)
    report = TableReport("authors")
    step(library, Decided([replace(SAME, values={"why": "otherwise"})])).decide(report, EVERY)
    assert (report.decided, library.rows(RECORDED)[0][2]) == (1, {"why": "otherwise"})


def test_what_the_map_does_not_take_is_quarantined_and_the_rest_recorded(own_library: Library) -> None:
    """Found by halving; the constraint is named, and a derived row of the same key is judged when it is written."""
    library = own_library
    library.context.session.execute(
        "ALTER TABLE remoteiq_etl.legacy_authors_map ADD CONSTRAINT short CHECK (length(legacy_key) < 40)"
    )
    names = [Decision("names", name, "r") for name in ("a", "b" * 50, "c", "d" * 50)]
    rows = {"names": frame({KEY: ["d" * 50]})}
    step(library, Decided(names, rows=rows)).decide(TableReport("authors"), EVERY)
    assert [row[0] for row in library.rows(RECORDED)] == ["a", "c"]
    listed = "SELECT legacy_table, legacy_key, rule, detail FROM remoteiq_etl.quarantine"
    reason = "constraint short of legacy_authors_map (SQLSTATE 23514)"
    assert library.rows(listed) == [("names", "b" * 50, "check_violation", reason)]


def test_a_key_takes_over_the_row_that_a_decision_gives_it(library: Library) -> None:
    step(library, Decided([Decision("authors", uid(103), "r", {"inherits": ["authors", uid(101)]})])).decide(
        TableReport("authors"), EVERY
    )
    state = (
        "SELECT legacy_key, new_key::text, state FROM remoteiq_etl.legacy_authors_map WHERE legacy_key <> %s ORDER BY 1"
    )
    assert library.rows(state, uid(102)) == [(uid(101), uid(101), "merged"), (uid(103), uid(101), "live")]


def test_a_plan_records_nothing_and_later_tables_of_it_know_all_the_same(library: Library) -> None:
    context = replace(library.context, plan=replace(library.context.plan, planning=True))
    decided = Decided([SAME], warnings=[Warned("odd", "authors", "k")])
    one = replace(step(library, decided), run=context, lookups=Lookups(context, []))
    report = TableReport("authors")
    one.decide(report, EVERY)
    assert (report.decided, library.rows(RECORDED)) == (1, [])
    assert library.column("SELECT count(*) FROM remoteiq_etl.decision_warnings") == [0]
    assert one.lookups.get("authors", "authors").decisions == {uid(102): {"why": "because"}}


@pytest.mark.parametrize("redecide", [frozenset(), frozenset({"authors"})])
def test_a_step_gets_its_reads_of_both_sides_and_what_was_recorded(library: Library, redecide: frozenset[str]) -> None:
    """Of a table that the target lacks an empty frame; what is to be decided again is set aside."""
    seen = {}

    def function(inputs: object, recorded: object, context: object) -> Decided:
        seen.update(inputs=inputs, recorded=recorded)
        return Decided(rows={"derived": frame({KEY: ["x"]})})

    library.context.session.execute(
        f"UPDATE remoteiq_etl.legacy_authors_map SET decision = '{{}}' WHERE legacy_key = '{uid(101)}'"
    )
    missing = Table("missing", MetaData(schema="target"), Column("name", Text))
    declared = Decide(
        {"names": select(LEGACY["authors"].c.name)},
        function,
        {"there": select(func.count().label("rows")).select_from(TARGET["books"]), "absent": select(missing.c.name)},
        redecided=("authors",),
    )
    context = replace(library.context, plan=replace(library.context.plan, redecide=redecide))
    one = replace(step(library, Decided()), run=context, spec=replace(AUTHORS, decide=declared))
    assert list(one.derived_now()["derived"][KEY]) == ["x"]
    inputs, recorded = seen["inputs"], seen["recorded"]
    assert [len(inputs[name]) for name in ("names", "there", "absent")] == [3, 1, 0]
    assert inputs["there"]["rows"][0] == 4
    assert [len(recorded.decisions), len(recorded.former)] == ([0, 1] if redecide else [1, 0])
    assert replace(one, spec=replace(AUTHORS, decide=None)).derived_now() == {}
