"""Bar charts as geometry: where each bar, line and label of an inline SVG stands.

Belongs here: numbers to coordinates. Does not belong here: colours and text (see templates).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: Units of the viewBox. Wider than a phone by little, so that labels stay readable there.
WIDTH, HEIGHT = 400, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 6, 24, 34
#: Labels of the horizontal axis that fit beside each other.
_MOST_LABELS = 10


@dataclass(frozen=True)
class Bar:
    """One value: its rectangle, and its name on the axis; None where there is no room for it."""

    x: float
    y: float
    width: float
    height: float
    title: str
    label: str | None

    @property
    def middle(self) -> float:
        """Where the label stands."""
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True)
class Tick:
    """A line across at a round value."""

    y: float
    label: str


@dataclass(frozen=True)
class Chart:
    """A chart. `name` makes the ids of its parts; `about` says in words what it shows; `unit` and `across` label the axes."""

    name: str
    title: str
    about: str
    unit: str
    across: str
    bars: Sequence[Bar]
    ticks: Sequence[Tick]

    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    bottom: int = HEIGHT - _BOTTOM


def bars(name: str, title: str, unit: str, across: str, values: Sequence[tuple[str, float]]) -> Chart:
    """A chart of named values that are not negative, in their order."""
    top = nice(max((value for _, value in values), default=0))
    step = (WIDTH - _LEFT - _RIGHT) / max(len(values), 1)
    each = math.ceil(len(values) / _MOST_LABELS) or 1
    drawn = [
        _bar(label, value, unit, _LEFT + step * number, step, top, number % each == 0)
        for number, (label, value) in enumerate(values)
    ]
    ticks = [Tick(_y(top * part / 4, top), short(top * part / 4)) for part in range(5)]
    return Chart(name, title, _about(values, unit, across), unit, across, drawn, ticks)


def nice(value: float) -> float:
    """The next round number that is not smaller: 1, 2, 4 or 8 times a power of ten; at least 4, so that quarters are whole."""
    if value <= 4:
        return 4
    power = 10 ** math.floor(math.log10(value))
    return next(float(factor * power) for factor in (1, 2, 4, 8, 10) if factor * power >= value)


def short(value: float) -> str:
    """A number for an axis: 1,200 as 1.2k."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def _bar(label: str, value: float, unit: str, x: float, step: float, top: float, labelled: bool) -> Bar:
    y, room = _y(value, top), min(step * 0.25, 4)
    width = min(step - room, 36)
    left = x + (step - width) / 2
    height = round(HEIGHT - _BOTTOM - y, 1)
    return Bar(round(left, 1), y, round(width, 1), height, f"{label}: {value:,.0f} {unit}", label if labelled else None)


def _y(value: float, top: float) -> float:
    return round(_TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - value / top), 1)


def _about(values: Sequence[tuple[str, float]], unit: str, across: str) -> str:
    if not values:
        return "No value."
    (least, low), (most, high) = (pick(values, key=lambda item: item[1]) for pick in (min, max))
    return (
        f"{len(values)} bars, {across} {least} has the least with {low:,.0f} {unit}, {most} the most with {high:,.0f}."
    )
