"""One run and one verification per source at a time, and no commit by a run that lost its place."""

from contextlib import closing
from dataclasses import replace

import pytest

from remoteiq_etl.errors import FencedError, LockedError
from remoteiq_etl.state import locks
from tests.support.library import Library


def test_a_source_is_locked_as_long_as_a_run_of_it_is_open(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another source is not, and a verification has a lock of its own."""
    monkeypatch.setattr(locks, "LOCK_PATIENCE", 0.0)
    source, session = library.context.source_record, library.context.session
    other = replace(source, id=77)
    assert locks.is_locked(session, locks.run_lock(source.id))
    assert not locks.is_locked(session, locks.verification_lock(source.id))
    with closing(library.context.target.connect()) as control, closing(library.context.target.connect()) as second:
        with pytest.raises(LockedError, match=r"another run holds the source 'default'"):
            locks.lock(control, source)
        locks.lock(control, other)
        locks.lock_verification(control, source)
        assert locks.is_locked(session, locks.run_lock(77))
        with pytest.raises(LockedError, match=r"another verification of the source 'default' is in work"):
            locks.lock_verification(second, source)
    with closing(library.context.target.connect()) as third:
        locks.lock_verification(third, source)


def test_who_takes_over_raises_the_fence_and_marks_the_runs_that_ended_without_a_word(library: Library) -> None:
    context = library.context
    place = (context.session, context.state, context.source_record)
    locks.check_fence(*place, context.fence, "run 1")
    assert locks.take_over(*place) == context.fence + 1
    assert library.column("SELECT status FROM remoteiq_etl.runs WHERE id = %s", context.id) == ["interrupted"]
    assert library.column("SELECT count(*) FROM remoteiq_etl.runs WHERE status = 'succeeded'") > [0]
    with pytest.raises(FencedError, match=rf"run 1 has fencing token {context.fence}, .* is at {context.fence + 1}"):
        locks.check_fence(*place, context.fence, "run 1")
