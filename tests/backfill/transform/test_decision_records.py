"""Rows and warnings that a decide step keeps for people: brought to what it says, and left alone where they agree."""

import pytest

from remoteiq_etl.backfill.transform.decision_records import keep_rows, keep_warnings
from remoteiq_etl.errors import ContractError
from remoteiq_etl.spec.decisions import Decide, Decided, Warned
from schemas.state.decisions import legacy_settings_map
from tests.support.library import AUTHORS, Library

STEP = Decide({}, lambda *_: Decided(), keeps=(legacy_settings_map,))
KEPT = "SELECT legacy_column, path, run_id FROM remoteiq_etl.legacy_settings_map ORDER BY 1"
WARNINGS = (
    "SELECT rule, legacy_key, run_id FROM remoteiq_etl.decision_warnings WHERE table_name = 'authors' ORDER BY 1, 2"
)


def settings(**paths: str) -> Decided:
    own = {"legacy_table": "t", "legacy_key": "1", "settings_type": "branding", "outcome": "carried"}
    return Decided(
        kept={"legacy_settings_map": [own | {"legacy_column": name, "path": path} for name, path in paths.items()]}
    )


def test_kept_rows_are_those_that_the_step_returned_last(library: Library) -> None:
    """What is new or changed is written by this run, what agrees stays with its run, and the rest goes."""
    run = library.context
    keep_rows(run, STEP, settings(a="a.b", b="c.d", c="e.f"))
    run.session.execute("UPDATE remoteiq_etl.legacy_settings_map SET run_id = 0")
    keep_rows(run, STEP, settings(a="a.b", b="other", d="new"))
    assert library.rows(KEPT) == [("a", "a.b", 0), ("b", "other", run.id), ("d", "new", run.id)]
    keep_rows(run, STEP, settings())
    assert library.rows(KEPT) == []


@pytest.mark.parametrize("step", [STEP, Decide({}, lambda *_: Decided())])
def test_a_table_that_is_not_told_of_or_not_declared_is_a_fault(library: Library, step: Decide) -> None:
    """Else all of its rows would be removed."""
    decided = Decided() if step.keeps else settings()
    with pytest.raises(ContractError, match="declares that it keeps"):
        keep_rows(library.context, step, decided)


def test_warnings_hold_from_the_run_that_found_them_until_they_hold_no_more(library: Library) -> None:
    """Those that the merge writes, and those of other assets, are not the step's to drop."""
    run = library.context
    run.session.execute(
        "INSERT INTO remoteiq_etl.decision_warnings (source_id, table_name, rule, legacy_table, legacy_key, run_id) VALUES"
        " (1, 'authors', 'stands', 't', 'k', 0), (1, 'authors', 'over', 't', 'k', 0), (1, 'authors', 'key_taken', 't', 'k', 0),"
        " (1, 'books', 'over', 't', 'k', 0)"
    )
    keep_warnings(run, AUTHORS, Decided(warnings=[Warned("stands", "t", "k"), Warned("new", "t", "x" * 9000)] * 2))
    found = library.rows(WARNINGS)
    assert [(rule, run_id) for rule, _, run_id in found] == [("key_taken", 0), ("new", run.id), ("stands", 0)]
    assert len(found[1][1]) < 9000, "a long key stands there as its beginning and a digest"
    assert library.column("SELECT count(*) FROM remoteiq_etl.decision_warnings WHERE table_name = 'books'") == [1]
