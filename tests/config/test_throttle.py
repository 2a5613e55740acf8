"""The table [throttle] of the configuration file."""

from pathlib import Path

import pytest

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.config.throttle import DEFAULTS, Signal, Threshold
from remoteiq_etl.errors import ConfigurationError


def load(directory: Path, text: str) -> Settings:
    (directory / "remoteiq.toml").write_text(text, encoding="utf-8")
    return Settings.load({}, directory)


def test_what_is_not_named_keeps_its_default(tmp_path: Path) -> None:
    limits = load(tmp_path, "[throttle]\nreplay_lag = { pause = 30 }\nprobe_seconds = 5").throttle
    assert limits.of(Signal.REPLAY_LAG) == Threshold(10, 30)
    assert limits.of(Signal.CONNECTIONS) == DEFAULTS[Signal.CONNECTIONS]
    assert limits.probe_seconds == 5
    assert dict(load(tmp_path, "").throttle.thresholds) == dict(DEFAULTS)


def test_a_signal_or_one_of_its_limits_can_be_off(tmp_path: Path) -> None:
    limits = load(
        tmp_path, '[throttle]\nconnections = "off"\nsnapshot_seconds = { finish = "off", stop = 60 }'
    ).throttle
    assert not limits.of(Signal.CONNECTIONS).is_on
    assert limits.of(Signal.SNAPSHOT_SECONDS) == Threshold(None, 60)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("throttle = 3", "remoteiq.toml: [throttle]: expected a table, found 3"),
        ("[throttle]\nlag = 1", "[throttle]: unknown setting 'lag'. Known: probe_seconds, replay_lag,"),
        ("[throttle]\nprobe_seconds = 0", "probe_seconds: expected a number above 0, found 0.0"),
        (
            "[throttle]\nreplay_lag = 3",
            '[throttle.replay_lag]: expected "off" or a table such as { slow = 1, pause = 2 }',
        ),
        ("[throttle]\nsnapshot_xids = 3", "such as { finish = 1, stop = 2 }, found 3"),
        (
            "[throttle]\nsnapshot_xids = { pause = 3 }",
            "[throttle.snapshot_xids]: unknown setting 'pause'. Known: finish, stop",
        ),
        (
            "[throttle]\nreplay_lag = { slow = true }",
            '[throttle.replay_lag] slow: expected a number above 0 or "off", found True',
        ),
        (
            "[throttle]\nreplay_lag = { pause = inf }",
            '[throttle.replay_lag] pause: expected a number above 0 or "off", found inf',
        ),
        ("[throttle]\nreplay_lag = { slow = 60 }", "slow = 60 must be less than pause = 60"),
        ("[throtle]\nreplay_lag = 1", "unknown setting 'throtle'. 'throttle' is meant?"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text.replace("= 0", "= 0.0"))
    assert said in str(caught.value)
