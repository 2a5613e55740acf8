"""The report as one HTML file: no network, no font, no script and no style from elsewhere.

Belongs here: rendering, and how numbers, times and values read. Does not belong here: what is in the report (see model),
and the words of the page (see templates).
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from importlib.resources import files
from itertools import groupby
from operator import attrgetter
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from remoteiq_etl.lifecycle.explain import sentences
from remoteiq_etl.lifecycle.operations.overview import RunRow
from remoteiq_etl.report import chart
from remoteiq_etl.report.model import Report, Standing
from remoteiq_etl.sensitive.redaction import LONGEST

#: How a standing is told besides by its word: a class for its colour, and a sign for those who see none.
STANDINGS: Mapping[Standing, tuple[str, str]] = {
    Standing.VERIFIED: ("good", "✓"),
    Standing.EXPLAINED: ("good", "✓"),
    Standing.STALE: ("warn", "↻"),
    Standing.INCOMPLETE: ("warn", "◐"),
    Standing.NEVER: ("warn", "?"),
    Standing.FAILED: ("bad", "!"),
    Standing.BUG: ("bad", "✗"),
    Standing.NOTHING: ("", "–"),
}

_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def render(report: Report, data_name: str) -> str:
    """The page. `data_name`: the name of the JSON file that lies beside it."""
    template = _environment().get_template("report.html")
    return template.render(
        report=report,
        data_name=data_name,
        standings=STANDINGS,
        charts=_charts(report.runs),
        checks=_checks(report),
        domains=[(domain, list(tables)) for domain, tables in groupby(report.tables, key=attrgetter("domain"))],
        archive=[(table, list(found)) for table, found in groupby(report.archive, key=attrgetter("legacy_table"))],
        index=embedded({"names": report.index.names, "rows": report.index.rows}),
        style=_file("report.css"),
        script=_file("report.js"),
        told=sentences,
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("remoteiq_etl.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "figure": figure,
        "moment": moment,
        "duration": duration,
        "size": size,
        "value": value,
        "listed": listed,
        "standing": lambda one: STANDINGS[one],
    }
    return environment


def _file(name: str) -> str:
    return files("remoteiq_etl.report").joinpath("templates", name).read_text(encoding="utf-8")


def embedded(data: Any) -> str:
    """JSON for a script element: nothing in it can end the element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _checks(report: Report) -> dict[str, str]:
    """What each check of the verification looks at, told once."""
    every = [*(table.verified for table in report.tables), report.database]
    return {check.name: check.about for one in every if one.verdict is not None for check in one.verdict.checks}


def _charts(runs: Iterable[RunRow]) -> list[chart.Chart]:
    """Rates and rows of the runs that read any row, the first one left."""
    ended = [run for run in reversed(list(runs)) if run.seconds and run.rows_read]
    rates = [(str(run.id), run.rows_read / (run.seconds or 1)) for run in ended]
    rows = [(str(run.id), float(run.rows_read)) for run in ended]
    return [
        chart.bars("rates", "Rows read per second", "rows/s", "run", rates),
        chart.bars("rows", "Rows read", "rows", "run", rows),
    ]


# --- how values read --------------------------------------------------------------------------------------------------


def number(value: float | None) -> str:
    """Thousands apart; a dash where there is none."""
    return "–" if value is None else f"{value:,.0f}"


def figure(value: int | str | None) -> str:
    """An exact figure, thousands apart where it is a number; anything else as it is."""
    text = "" if value is None else str(value)
    return f"{Decimal(text):,f}" if _NUMBER.fullmatch(text) else text or "–"


def moment(value: datetime | None) -> str:
    """A moment in UTC, to the second: a report is read in other time zones than it was made in."""
    return "–" if value is None else f"{value:%Y-%m-%d %H:%M:%S} UTC"


def duration(seconds: float | None) -> str:
    """A span of time."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def size(count: int) -> str:
    """Bytes, with a space that keeps number and unit together."""
    for unit, length in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= length:
            return f"{count / length:.3g}\u00a0{unit}"
    return f"{count}\u00a0bytes"


def value(one: Any) -> str:
    """A cell of a row: JSON as text, long texts cut."""
    if one is None:
        return "(null)"
    text = one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)
    return f"{text[:LONGEST]}…" if len(text) > LONGEST else text


def listed(counts: Mapping[str, int]) -> str:
    """Counts as words: 3 migrated, 1 held."""
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count)
