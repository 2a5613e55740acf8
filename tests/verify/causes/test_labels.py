"""Why a difference is there: the judgement alone, without a database."""

from collections.abc import Mapping
from typing import Any

import pytest

from remoteiq_etl.verify.causes.labels import Evidence, Legacy, MapEntry, RowSides, Rules, findings
from remoteiq_etl.verify.expected.compare import RowDifference
from remoteiq_etl.verify.verdicts.model import Label

LIVE = MapEntry("u1", "kept", "live", adopted=False, is_there=True)
OUTLIVED = MapEntry("u1", "synthesized", "live", adopted=False, is_there=True, outlived=True)
GONE = MapEntry("u1", "kept", "live", adopted=False, is_there=False)
UNFINISHED = MapEntry("u1", "kept", "live", adopted=False, is_there=True, unfinished=True)
STALE = "3 rows of sites were written since the table was last completed"
EDITED = RowSides(edited=frozenset({"name"}), as_written=False)
WRONG = RowSides(edited=frozenset({"name"}), wanted=frozenset({"name"}), as_written=False)


def _labels(kind: str, facts: Mapping[str, Any], *columns: str, rules: Rules | None = None) -> dict[str, Label]:
    difference = RowDifference("users", kind, "u1", "users", "1", columns)
    found = findings(difference, Evidence(**facts), rules or Rules())
    return {column: one.label for one in found for column in one.columns or ("",)}


@pytest.mark.parametrize(
    ("facts", "label"),
    [
        ({}, Label.BUG),
        ({"legacy": Legacy(present=True, newer=True)}, Label.CHANGED_IN_LEGACY),
        ({"stale": STALE}, Label.CHANGED_IN_LEGACY),
        ({"entry": UNFINISHED, "legacy": Legacy(present=True)}, Label.CHANGED_IN_LEGACY),
        ({"waits": (Label.HELD, "waits for its parent in clients")}, Label.HELD),
        ({"entry": GONE}, Label.EDITED_IN_TARGET),
        ({"entry": GONE, "twin": "u2"}, Label.BUG),
        ({"entry": LIVE}, Label.BUG),
        ({"entry": MapEntry("u1", "kept", "deleted", adopted=False, is_there=False)}, Label.EDITED_IN_TARGET),
        ({"entry": MapEntry(None, "ticket_number", "decided", adopted=False, is_there=False)}, Label.BUG),
    ],
)
def test_a_missing_row(facts: Mapping[str, Any], label: Label) -> None:
    assert _labels("missing", facts) == {"": label}


@pytest.mark.parametrize(
    ("facts", "label"),
    [
        ({"entry": LIVE}, Label.BUG),
        ({"entry": LIVE, "legacy": Legacy(present=False)}, Label.CHANGED_IN_LEGACY),
        ({"entry": OUTLIVED}, Label.CHANGED_IN_LEGACY),
        ({"entry": OUTLIVED, "legacy": Legacy(present=True)}, Label.BUG),
        ({"entry": MapEntry("u1", "adopted", "live", adopted=True, is_there=True)}, Label.EXPECTED),
        ({"entry": LIVE, "waits": (Label.QUARANTINED, "quarantined under the rule blank")}, Label.QUARANTINED),
    ],
)
def test_a_surplus_row(facts: Mapping[str, Any], label: Label) -> None:
    assert _labels("surplus", facts) == {"": label}


@pytest.mark.parametrize(
    ("facts", "label"),
    [
        ({"entry": LIVE, "sides": RowSides(as_written=True)}, Label.BUG),
        ({"entry": LIVE, "sides": RowSides(wanted=frozenset({"name"})), "stale": STALE}, Label.CHANGED_IN_LEGACY),
        ({"entry": LIVE, "sides": EDITED}, Label.EDITED_IN_TARGET),
        ({"entry": LIVE, "sides": WRONG}, Label.BUG),
        ({"entry": LIVE, "sides": WRONG, "legacy": Legacy(True, True)}, Label.EDITED_IN_TARGET),
        ({"entry": LIVE, "sides": WRONG, "conflicts": {"name": "edited in target"}}, Label.EDITED_IN_TARGET),
        ({"entry": LIVE, "sides": WRONG, "conflicts": {"name": "adopted"}}, Label.EXPECTED),
        ({"entry": MapEntry("u1", "adopted", "live", adopted=True, is_there=True)}, Label.EXPECTED),
    ],
)
def test_a_changed_column(facts: Mapping[str, Any], label: Label) -> None:
    assert _labels("changed", facts, "name") == {"name": label}


@pytest.mark.parametrize(("right_before", "label"), [(True, Label.EDITED_IN_TARGET), (False, Label.BUG)])
def test_an_edit_of_a_log_explains_it_only_when_what_was_written_was_right(right_before: bool, label: Label) -> None:
    sides = RowSides(unrecorded=frozenset({"name"}), as_written=False, expectation_as_written=right_before)
    assert _labels("changed", {"entry": LIVE, "sides": sides}, "name") == {"name": label}


def test_an_edit_does_not_excuse_other_columns() -> None:
    found = _labels("changed", {"entry": LIVE, "sides": EDITED}, "name", "email")
    assert found == {"name": Label.EDITED_IN_TARGET, "email": Label.BUG}


def test_activity_is_expected_only_where_the_targets_time_is_the_later_one() -> None:
    rules = Rules(activity=frozenset({"last_seen_at", "status"}))
    later = {"entry": LIVE, "sides": RowSides(later=frozenset({"last_seen_at"}))}
    assert set(_labels("changed", later, "last_seen_at", "status", rules=rules).values()) == {Label.EXPECTED}
    earlier = {"entry": LIVE, "sides": RowSides()}
    assert set(_labels("changed", earlier, "last_seen_at", "status", rules=rules).values()) == {Label.BUG}


@pytest.mark.parametrize(("renewed", "label"), [(True, Label.EXPECTED), (False, Label.EDITED_IN_TARGET)])
def test_a_column_set_at_the_insert_differs_by_rule_only_when_legacy_changed_later(renewed: bool, label: Label) -> None:
    entry = MapEntry("u1", "kept", "live", adopted=False, is_there=True, renewed=renewed)
    rules = Rules(insert_only=frozenset({"created_at"}))
    assert _labels("changed", {"entry": entry}, "created_at", rules=rules) == {"created_at": label}


@pytest.mark.parametrize(
    ("renewed", "follows", "expectation_as_written", "label"),
    [
        (True, False, True, Label.EXPECTED),
        (False, True, True, Label.EXPECTED),
        (False, False, True, Label.BUG),
        (True, False, False, Label.BUG),
        (True, True, None, Label.BUG),
    ],
)
def test_updated_at_stays_when_legacy_changed_nothing_else(
    renewed: bool, follows: bool, expectation_as_written: bool | None, label: Label
) -> None:
    entry = MapEntry("u1", "kept", "live", adopted=False, is_there=True, renewed=renewed)
    sides = RowSides(as_written=True, expectation_as_written=expectation_as_written)
    rules = Rules(follows=follows)
    assert _labels("changed", {"entry": entry, "sides": sides}, "updated_at", rules=rules) == {"updated_at": label}


def test_updated_at_goes_with_an_edit() -> None:
    assert _labels("changed", {"entry": LIVE, "sides": EDITED}, "name", "updated_at") == dict.fromkeys(
        ("name", "updated_at"), Label.EDITED_IN_TARGET
    )
    assert _labels("changed", {"entry": LIVE}, "updated_at") == {"updated_at": Label.BUG}
