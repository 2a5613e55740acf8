"""Signals are noticed, also where what their handlers raise is lost, and the former handlers come back."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from remoteiq_etl.orchestration.runtime import signals


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Those of the test run come back, whatever happens."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Finalized:
    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> list[type[BaseException] | None]:
    """What was raised where nobody hears it."""
    found: list[type[BaseException] | None] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda said: found.append(said.exc_type))
    return found


def noticed(*steps: Callable[[], object]) -> list[object]:
    """Take these steps while signals are noticed; gives those that were taken before the interruption, which has to come."""
    taken: list[object] = []

    def take() -> None:
        with signals.noticing():
            for step in steps:
                step()
                taken.append(step)

    with pytest.raises(KeyboardInterrupt):
        take()
    return taken


def test_what_a_finalizer_swallowed_is_raised_at_the_end(forgotten: list[type[BaseException] | None]) -> None:
    assert noticed(Finalized, int) == [Finalized, int]
    assert forgotten == [KeyboardInterrupt]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signals.go_on()  # it was heard


def test_it_is_raised_as_soon_as_somebody_asks(forgotten: list[type[BaseException] | None]) -> None:
    assert noticed(Finalized, signals.go_on, int) == [Finalized]
    assert forgotten == [KeyboardInterrupt]


def test_a_signal_that_is_heard_is_raised_once() -> None:
    with signals.noticing():
        with pytest.raises(KeyboardInterrupt), signals.noticing():
            os.kill(os.getpid(), signal.SIGINT)
        signals.go_on()


def test_a_handler_that_dagster_hands_on_to_another_signal_ends_with_the_block() -> None:
    """As it does with SIGTERM where nothing handled that before."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def hands_on() -> None:
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))

    assert noticed(hands_on, lambda: os.kill(os.getpid(), signal.SIGTERM), int) == [hands_on]
    assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler


def test_another_thread_leaves_the_handlers_alone() -> None:
    seen = []

    def look() -> None:
        with signals.noticing():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


def test_an_interruption_is_found_behind_the_error_that_replaced_it() -> None:
    def replaced() -> None:
        try:
            raise KeyboardInterrupt
        finally:
            raise ValueError("while cleaning up")

    with pytest.raises(ValueError, match="cleaning up") as caught:
        replaced()
    assert isinstance(signals.hidden_in(caught.value), KeyboardInterrupt)
    assert signals.hidden_in(ValueError("alone")) is None
