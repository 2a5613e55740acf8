"""The record of cut-overs: the last one counts, it is written before anything is taken, and later runs remember it."""

from datetime import UTC, datetime

import pytest

from remoteiq_etl.spec.run_options import CUT_OVER
from remoteiq_etl.state import cutovers
from remoteiq_etl.state.cutovers import Phase
from tests.support.library import Library

FENCED_AT = datetime(2031, 5, 4, 6, tzinfo=UTC)


def test_the_last_one_says_how_far_it_came_and_what_its_fence_must_give_back(library: Library) -> None:
    place = (library.context.session, library.context.state, library.context.source_record.id)
    assert cutovers.last(*place) is None
    first = cutovers.begin(*place, {"kind": "revoke", "roles": ["app"]})
    begun = cutovers.last(*place)
    assert begun is not None
    assert (begun.id, begun.phase, begun.fence) == (first, Phase.BEGUN, {"kind": "revoke", "roles": ["app"]})
    assert str(begun).startswith(f"cut-over {first}, begun by ")
    cutovers.record(*place[:2], first, Phase.FAILED, fence=None)
    second = cutovers.begin(*place, None)
    latest = cutovers.last(*place)
    assert latest is not None
    assert (latest.id, latest.fence) == (second, None)
    assert library.column("SELECT ended_at IS NOT NULL FROM remoteiq_etl.cutovers ORDER BY id") == [True, False]


@pytest.mark.parametrize(
    ("phase", "is_carried"),
    [
        (Phase.BEGUN, False), (Phase.FENCED, True), (Phase.SWITCHING, True), (Phase.DONE, True), (Phase.FAILED, False),
        (Phase.GOING_BACK, False), (Phase.TAKEN_BACK, False),
    ],
)  # fmt: skip
def test_runs_carry_the_cut_over_from_the_fence_until_it_fails_or_is_taken_back(
    library: Library, phase: Phase, is_carried: bool
) -> None:
    place = (library.context.session, library.context.state, library.context.source_record.id)
    number = cutovers.begin(*place, None)
    assert cutovers.remembered_options(*place) == {}
    cutovers.record(*place[:2], number, phase, fenced_at=FENCED_AT)
    carried = {CUT_OVER: FENCED_AT.isoformat()} if is_carried else {}
    assert cutovers.remembered_options(*place) == carried
