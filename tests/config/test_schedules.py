"""The table [schedules] of the configuration file. What a cron text may hold is Dagster's (tests/orchestration)."""

from pathlib import Path

import pytest

from remoteiq_etl.config.schedules import Schedules
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConfigurationError


def load(directory: Path, text: str) -> Schedules:
    (directory / "remoteiq.toml").write_text(text, encoding="utf-8")
    return Settings.load({}, directory).schedules


def test_what_is_not_named_keeps_its_default(tmp_path: Path) -> None:
    assert load(tmp_path, "") == load(tmp_path, "[schedules]") == Schedules()
    found = load(tmp_path, '[schedules]\nresync = "0 2 * * MON-FRI"\ntime_zone = "Europe/Berlin"')
    assert (found.resync, found.time_zone, found.sweep) == ("0 2 * * MON-FRI", "Europe/Berlin", Schedules().sweep)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("schedules = 'daily'", "remoteiq.toml: [schedules]: expected a table, found 'daily'."),
        (
            "[schedules]\nresinc = '* * * * *'",
            "[schedules]: unknown setting 'resinc'. 'resync' is meant? Known: resync, sweep,",
        ),
        (
            "[schedules]\ntime_zone = 'Mars/Olympus'",
            'time_zone: expected the name of a time zone such as "Europe/Berlin"',
        ),
        *(
            (f"[schedules]\nresync = {text}", '[schedules] resync: expected five fields such as "*/15 * * * *"')
            for text in ("''", "'* * * *'", "'* * * * * *'", "'@hourly'", "15")
        ),
    ],
)
def test_faults_are_said_with_their_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text)
    assert said in str(caught.value)


def test_every_fault_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, "[schedules]\nresync = '@hourly'\ntime_zone = 'Mars/Olympus'\nsweeps = 1")
    assert [line.partition("[schedules]")[2].partition(":")[0] for line in str(caught.value).splitlines()] == [
        " resync",
        " time_zone",
        "",
    ]
