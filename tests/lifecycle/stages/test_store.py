"""Where a migration stands is moved by legal moves alone, in the caller's transaction, and by one command at a time."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC

import psycopg
import pytest

from remoteiq_etl.errors import LockedError, LockTimeout, StageError
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.lifecycle.stages.missing import StageFacts, missing
from remoteiq_etl.lifecycle.stages.stage import (
    COMMANDS,
    MOVES,
    NEEDS,
    ORDER,
    POINT_OF_NO_RETURN,
    Stage,
    next_stage,
    word,
)
from remoteiq_etl.lifecycle.stages.store import StageEntry
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.state import locks
from remoteiq_etl.state.schema import State
from remoteiq_etl.state.sources import register
from tests.support.preparing import Target
from tests.support.server import Database

ALL = (None, *ORDER)


@pytest.fixture
def place(target_db: Database) -> Target:
    return Target(target_db)


@pytest.fixture
def session(place: Target) -> Iterator[Session]:
    with place.session() as session:
        yield session


@pytest.fixture
def source(session: Session, place: Target) -> tuple[State, int]:
    state = place.state
    state.ensure(session)
    return state, register(session, state, "head-office", "head-office").id


def bring(session: Session, source: tuple[State, int], *stages: Stage | None) -> None:
    for stage in stages:
        store.move(session, *source, stage, reason="a test")


def test_each_stage_leads_to_the_next_one_and_each_but_the_last_back() -> None:
    for stage in ALL:
        following = next_stage(stage)
        assert following is None or following in MOVES[stage]
        earlier = [one for one in MOVES[stage] if ALL.index(one) < ALL.index(stage)]
        assert bool(earlier) == (stage not in (None, POINT_OF_NO_RETURN))
        assert (COMMANDS[stage].command is None) == (following is None)
        assert (COMMANDS[stage].back is None) == (stage in (None, POINT_OF_NO_RETURN))
        assert stage is None or stage.about
    assert word(Stage.IN_STEP) == "in step"
    assert NEEDS["cleanup"] == {Stage.CUT_OVER}


@pytest.mark.every_postgres
def test_every_move_that_is_not_legal_is_refused_and_changes_nothing(
    session: Session, source: tuple[State, int]
) -> None:
    """By all pairs: the row is brought to the first by hand."""
    state, source_id = source
    bring(session, source, Stage.PREPARED)
    for before in ALL:
        session.execute("UPDATE remoteiq_etl.stages SET stage = %s, came_from = NULL", [before])
        for after in ALL:
            with contextlib.ExitStack() as stack:
                legal = after in MOVES[before]
                if not legal:
                    refused = stack.enter_context(pytest.raises(StageError))
                stack.enter_context(session.connection.transaction(force_rollback=True))
                store.move(session, state, source_id, after, reason="a test")
                assert session.value("SELECT stage FROM remoteiq_etl.stages") == after
            if not legal:
                assert f"becomes {word(after)} when" in str(refused.value)
                assert f"this one is {word(before)}" in str(refused.value)
    assert len(store.history(session, state, source_id)) == 1


def test_an_entry_says_when_who_why_and_by_which_run_and_the_history_keeps_all(
    session: Session, source: tuple[State, int]
) -> None:
    state, source_id = source
    assert store.current(session, state, source_id) is None
    bring(session, source, Stage.PREPARED)
    before = store.move(
        session, state, source_id, Stage.LOADING, by="anna@etl.example.com", reason="run 7", run_id=7, details={"n": 1}
    )
    found = store.current(session, state, source_id)
    assert before is not None
    assert before.stage is Stage.PREPARED
    assert found is not None
    assert (found.stage, found.came_from, found.actor, found.reason, found.run_id, found.details) == (
        Stage.LOADING, Stage.PREPARED, "anna@etl.example.com", "run 7", 7, {"n": 1},
    )  # fmt: skip
    assert found.role == session.value("SELECT session_user")
    assert str(found).endswith(f"by anna@etl.example.com (role {found.role}): run 7")
    assert [one.stage for one in store.history(session, state, source_id)] == [Stage.LOADING, Stage.PREPARED]
    assert store.history(session, state, source_id)[0] == found


def test_what_was_left_for_a_run_that_wrote_nothing_is_entered_again(
    session: Session, source: tuple[State, int]
) -> None:
    bring(session, source, Stage.LOADING, Stage.IN_STEP, Stage.VERIFIED, Stage.LOADING, Stage.VERIFIED)
    bring(session, source, Stage.FINALIZED, Stage.LOADING)
    with pytest.raises(StageError, match="becomes verified when it is in step or finalized; this one is loading"):
        bring(session, source, Stage.VERIFIED)
    bring(session, source, Stage.FINALIZED)


def test_a_move_is_the_callers_transaction_and_a_second_one_waits_for_it(
    place: Target, session: Session, source: tuple[State, int]
) -> None:
    state, source_id = source
    bring(session, source, Stage.LOADING, Stage.IN_STEP)
    with place.session() as other:
        other.execute("SET lock_timeout = '50ms'")
        with session.connection.transaction(force_rollback=True):
            bring(session, source, Stage.VERIFIED)
            seen = store.current(other, state, source_id)
            assert seen is not None
            assert seen.stage is Stage.IN_STEP
            for attempt in (lambda: bring(other, source, Stage.LOADING), lambda: store.require(other, *source, "run")):
                with pytest.raises(LockTimeout):
                    attempt()
        assert store.require(other, *source, "verify") is Stage.IN_STEP


def test_a_command_that_does_not_fit_says_what_it_needs_and_what_leads_there(
    session: Session, source: tuple[State, int]
) -> None:
    with pytest.raises(StageError) as refused:
        store.require(session, *source, "finalize")
    assert str(refused.value) == (
        "remoteiq-etl finalize needs a migration that is verified or finalized; this one is not prepared."
        " Next: remoteiq-etl prepare. Nothing was changed."
    )
    bring(session, source, Stage.LOADING, Stage.IN_STEP, Stage.VERIFIED, Stage.FINALIZED, Stage.CUT_OVER)
    with pytest.raises(StageError, match=r"remoteiq-etl undo needs .*this one is cut over\. Next: .*cutover --back"):
        store.require(session, *source, "undo")
    bring(session, source, Stage.CLEANED_UP)
    with pytest.raises(StageError, match="There is no way back"):
        store.require(session, *source, "cutover --back")


@pytest.mark.every_postgres
def test_a_second_operator_gets_the_first_ones_name_and_start(
    place: Target, session: Session, source: tuple[State, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "LOCK_PATIENCE", 0.0)
    state, source_id = source
    with place.session() as other:
        with store.claim(session, state, source_id, "cutover") as mine:
            for attempt in (
                lambda: store.refuse_claimed(other, state, source_id),
                lambda: store.claim(other, state, source_id, "cleanup").__enter__(),
            ):
                with pytest.raises(LockedError) as refused:
                    attempt()
                assert f"in work already: cutover, by {mine.actor} (role {mine.role}) since" in str(refused.value)
                assert f"{mine.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" in str(refused.value)
            assert store.claimed(other, state, source_id) == mine
        assert store.claimed(other, state, source_id) is None
        store.refuse_claimed(other, state, source_id)
        with store.claim(other, state, source_id, "cleanup"):
            assert store.claimed(session, state, source_id) is not None


def test_a_claim_of_a_killed_command_goes_with_its_session(
    place: Target, session: Session, source: tuple[State, int]
) -> None:
    with place.session() as killed, store.claim(killed, *source, "finalize"):
        session.execute("SELECT pg_terminate_backend(%s)", [killed.value("SELECT pg_backend_pid()")])
        with pytest.raises(psycopg.OperationalError):
            killed.execute("SELECT 1")
    with store.claim(session, *source, "finalize") as claim:
        assert claim.command == "finalize"


def test_what_is_missing_is_said_in_sentences_with_the_command_that_does_it(
    session: Session, source: tuple[State, int]
) -> None:
    assert [one.command for one in missing(StageFacts())] == ["remoteiq-etl prepare"]
    bring(session, source, Stage.LOADING)
    entry = store.current(session, *source)
    assert entry is not None

    def said(facts: StageFacts) -> list[str]:
        return [str(one) for one in missing(facts)]

    def at(stage: Stage) -> StageEntry:
        return replace(entry, stage=stage)

    tables = ["agents", "clients", "devices", "sites", "users"]
    assert said(StageFacts(entry, run=(3, "failed", "DiskFull"), tables=tables)) == [
        "Run 3 failed (DiskFull). remoteiq-etl run",
        "5 tables are not loaded: agents, clients, devices, sites and 1 more. remoteiq-etl run",
    ]
    assert said(StageFacts(entry, run=(3, "running", None), tables=["agents"]))[0] == (
        "Run 3 ended without a word. remoteiq-etl run"
    )
    assert said(StageFacts(entry, is_running=True, run=(3, "running", None))) == ["A run is in work: wait for its end."]
    unverified = {"agents": "never", "sites": "run 3 has written rows of it since", "users": "never"}
    assert said(StageFacts(at(Stage.IN_STEP), unverified=unverified)) == [
        "2 tables are not verified (never): agents, users. remoteiq-etl verify",
        "1 tables are not verified (run 3 has written rows of it since): sites. remoteiq-etl verify",
    ]
    assert "75 foreign keys" in said(StageFacts(at(Stage.VERIFIED), parts=75))[0]
    assert said(StageFacts(at(Stage.FINALIZED))) == []
    assert said(StageFacts(at(Stage.CLEANED_UP))) == []
