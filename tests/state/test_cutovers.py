"""The record of cut-overs: which options later runs remember, by how far the last one came."""

import contextlib
from datetime import UTC, datetime

import pytest

from remoteiq_etl.state import cutovers
from remoteiq_etl.state.cutovers import Phase
from remoteiq_etl.state.schema import State
from tests.support.migrating import Migration

FENCED = datetime(2024, 5, 1, 10, 0, tzinfo=UTC)
CARRIED = {"cut_over": "2024-05-01T10:00:00+00:00"}


@pytest.mark.parametrize(
    ("phase", "options"),
    [
        (Phase.BEGUN, {}),
        (Phase.FENCED, CARRIED),
        (Phase.SWITCHING, CARRIED),
        (Phase.DONE, CARRIED),
        (Phase.FAILED, {}),
        (Phase.GOING_BACK, {}),
        (Phase.TAKEN_BACK, {}),
    ],
)
def test_runs_carry_what_a_cut_over_does_while_it_stands(
    module_pair: Migration, phase: Phase, options: dict[str, str]
) -> None:
    """Of several the last one counts."""
    with contextlib.closing(module_pair.plan.target.connect()) as session:
        state = State(session.database, "remoteiq_etl")
        before = cutovers.begin(session, state, 1, {"kind": "stopped"})
        cutovers.record(session, state, before, Phase.DONE, fenced_at=FENCED)
        number = cutovers.begin(session, state, 1, {"kind": "stopped"})
        cutovers.record(session, state, number, phase, fenced_at=FENCED, marks={"target": {"horizon": 7}}, fence=None)
        assert cutovers.remembered_options(session, state, 1) == options
        found = cutovers.last(session, state, 1)
    assert found is not None
    assert (found.id, found.phase, found.fence, found.marks) == (number, phase, None, {"target": {"horizon": 7}})
    assert str(found).startswith(f"cut-over {number}, begun by ")
