"""What a run that was killed in the middle has got done: each row is as before it or as after it, and never in between."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.machine.model import Model, TableState


@dataclass(frozen=True)
class Reached:
    """How far a run came. By table the legacy keys about which it committed something, and those noted as deleted."""

    keys: dict[str, set[str]]
    deleted: dict[str, set[str]]
    winners: dict[str, str]
    numbers: dict[str, int]


def settled(before: Model, after: Model, reached: Reached) -> Model:
    """The model of a run that came so far and no further. Raises AssertionError when it did what nobody asked for."""
    _assert_between(before.winners, after.winners, reached.winners)
    _assert_between(before.numbers, after.numbers, reached.numbers)
    before.winners, before.numbers = reached.winners, reached.numbers
    before.legacy = after.legacy
    for name, state in before.tables.items():
        assert state.deleted <= reached.deleted[name] <= after[name].deleted, (name, "deleted")
        state.deleted = reached.deleted[name]
        for key in reached.keys[name]:
            _take_over(state, after[name], key)
    return before


def _take_over(state: TableState, after: TableState, key: str) -> None:
    if key in after.written:
        id_ = state.ids[key] = after.ids[key]
        state.written[key] = after.written[key]
        if (row := after.current(key)) is not None:
            state.target[id_] = row
        if key in after.inserted:
            state.inserted[key] = after.inserted[key]
        if id_ in after.images:
            state.images[id_] = after.images[id_]
    for mine, others in ((state.adopted, after.adopted), (state.conflicts, after.conflicts)):
        (mine.add if key in others else mine.discard)(key)
    state.waits.pop(key, None)
    if key in after.waits:
        state.waits[key] = after.waits[key]


def _assert_between(before: Mapping[Any, Any], after: Mapping[Any, Any], found: Mapping[Any, Any]) -> None:
    for key, value in found.items():
        assert value in (before.get(key), after.get(key)), f"decided for {key}: {value}"
    assert before.keys() & after.keys() <= found.keys(), "a decision was forgotten"
