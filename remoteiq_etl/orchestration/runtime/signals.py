"""Signals that reach a run: told apart from errors, wherever they arrive, and raised again where nobody could hear them.

In a step Dagster raises them at once, between two steps it waits for the next one. Belongs here: recognising and noticing
them. Does not belong here: what a run does then (see migration, execute).
"""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import dagster as dg

INTERRUPTIONS = (KeyboardInterrupt, dg.DagsterExecutionInterruptedError)
_NAMES = frozenset(kind.__name__ for kind in INTERRUPTIONS)
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: Raised by the handler of a signal, and not seen since.
_noticed: list[BaseException] = []


@contextlib.contextmanager
def noticing() -> Iterator[None]:
    """Lose no signal inside: what its handler raised and nobody heard is raised at the end, or by `go_on`.

    Python runs a handler before the next line that it executes. While it collects garbage (a good part of the time of a
    process with as many objects as Dagster makes) that line is one of a finalizer, psycopg's for connections above all, and
    what is raised there is printed and forgotten: the run went on to its end. Only the main thread hears signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ear = _Ear()
    ear.begin()
    try:
        yield
        go_on()
    finally:
        _noticed.clear()
        ear.end()


def go_on() -> None:
    """Raise the interruption that was noticed and lost; nothing happens without one."""
    if _noticed:
        raise type(_noticed.pop())


def hidden_in(error: BaseException) -> BaseException | None:
    """The interruption that an error stands in for, if it arose while one was on its way; None where there was none.

    An error in a `finally`, as of a session that was cut short, takes its place.
    """
    return next((one for one in _behind(error) if isinstance(one, INTERRUPTIONS)), None)


def is_told(events: Iterable[dg.DagsterEvent]) -> bool:
    """Whether events of a run say that a signal ended a step, or the run between two steps."""
    return not _NAMES.isdisjoint(_error_names(events))


@dataclass
class _Ear:
    """Handlers of signals that note what the former ones raise."""

    former: dict[signal.Signals, Callable[[int, FrameType | None], Any]] = field(default_factory=dict)

    def begin(self) -> None:
        """Stand in for the handlers that there are."""
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler):
                self.former[number] = handler
                signal.signal(number, self.handle)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Let the former handler act."""
        try:
            self._former(number)(number, frame)
        except INTERRUPTIONS as error:
            _noticed.append(error)
            raise

    def end(self) -> None:
        """Put the former handlers back, but for those that Dagster has changed meanwhile, as it does when an asset yields."""
        for number in _SIGNALS:
            if signal.getsignal(number) == self.handle:
                signal.signal(number, self._former(number))

    def _former(self, number: int) -> Callable[[int, FrameType | None], Any]:
        """The handler that there was. Dagster lets that of SIGINT handle SIGTERM, too, also where nothing else did."""
        return self.former.get(signal.Signals(number)) or self.former[signal.SIGINT]


def _behind(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__context__, one.__cause__]


def _error_names(events: Iterable[dg.DagsterEvent]) -> Iterator[str | None]:
    for event in events:
        if event.is_step_failure and event.step_failure_data.error:
            yield event.step_failure_data.error.cls_name
        elif event.is_run_failure and event.job_failure_data.error:
            yield event.job_failure_data.error.cls_name
