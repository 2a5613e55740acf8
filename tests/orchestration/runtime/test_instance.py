"""Where runs are recorded."""

import hashlib
import os
from pathlib import Path

import pytest

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConfigurationError, EmbeddedServerError
from remoteiq_etl.orchestration.runtime.home import dagster_home
from remoteiq_etl.orchestration.runtime.instance import (
    CONFIG,
    EARLIER,
    instance,
    lacking,
    main,
    make_instance,
)
from remoteiq_etl.orchestration.runtime.launcher import LocalRunLauncher

#: What the first version wrote.
FIRST = """\
# Written on first use; yours to edit.
telemetry:
  enabled: false

# What a step prints is not kept: it has nothing to print, and the terminal stays the command line's.
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return Settings(home=tmp_path / "home")


def test_the_projects_own_is_made_on_first_use(settings: Settings) -> None:
    with instance(settings) as made:
        assert Path(made.root_directory) == settings.home / "dagster"
        assert not made.telemetry_enabled
        assert made.get_runs() == []
    assert (settings.home / "dagster" / "dagster.yaml").read_text() == CONFIG


def test_it_is_for_its_owner_only(settings: Settings) -> None:
    assert make_instance(settings).stat().st_mode & 0o077 == 0


def test_it_queues_retries_and_watches(settings: Settings) -> None:
    with instance(settings) as made:
        queue = made.get_concurrency_config().run_queue_config
        assert queue is not None
        assert queue.tag_concurrency_limits == [
            {"key": "remoteiq/source", "value": {"applyLimitPerUniqueValue": True}, "limit": 1}
        ]
        assert (made.run_retries_enabled, made.run_retries_max_retries) == (True, 0)
        assert not made.run_retries_retry_on_asset_or_op_failure
        assert made.run_monitoring_enabled
        assert isinstance(made.run_launcher, LocalRunLauncher)


def test_the_configuration_of_an_earlier_version_is_renewed(settings: Settings) -> None:
    config = make_instance(settings) / "dagster.yaml"
    config.write_text(FIRST)
    make_instance(settings)
    assert config.read_text() == CONFIG


def test_one_that_somebody_edited_stays_and_what_it_lacks_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REMOTEIQ_HOME", str(settings.home))
    config = make_instance(settings) / "dagster.yaml"
    config.write_text(FIRST + "\nschedules:\n  use_threads: true\n")
    main()
    assert config.read_text().startswith(FIRST + "\n")
    assert (
        "missing there: concurrency, nux, retention, run_launcher, run_monitoring, run_retries."
        in capsys.readouterr().err
    )


def test_nothing_is_missing_in_what_we_write(settings: Settings) -> None:
    assert lacking(make_instance(settings)) == []


def test_what_this_version_writes_is_no_earlier_ones() -> None:
    """Else a file would be written anew at each start."""
    assert hashlib.sha256(CONFIG.encode()).hexdigest() not in EARLIER


def test_a_configuration_that_is_there_stays(settings: Settings) -> None:
    config = make_instance(settings) / "dagster.yaml"
    config.write_text("telemetry:\n  enabled: false\n")
    make_instance(settings)
    assert config.read_text() == "telemetry:\n  enabled: false\n"
    assert [path.name for path in config.parent.iterdir()] == ["dagster.yaml"]


def test_the_home_is_printed_for_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REMOTEIQ_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    main()
    assert capsys.readouterr().out == f"{tmp_path / 'home' / 'dagster'}\n"
    assert (tmp_path / "home" / "dagster" / "dagster.yaml").is_file()


def test_dagster_home_wins(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "given"))
    (tmp_path / "given").mkdir()
    assert dagster_home(settings) == tmp_path / "given"
    with instance(settings) as given:
        assert Path(given.root_directory) == tmp_path / "given"
    assert not settings.home.exists()


def test_a_dagster_home_that_is_not_there_is_refused(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "missing"))
    with (
        pytest.raises(ConfigurationError, match=r"DAGSTER_HOME is .*missing, which is no directory"),
        instance(settings),
    ):
        pass


def test_a_wrong_dagster_configuration_is_refused(settings: Settings) -> None:
    (make_instance(settings) / "dagster.yaml").write_text("telemetri: 1\n")
    with pytest.raises(ConfigurationError, match="Dagster cannot use its home"), instance(settings):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(EmbeddedServerError), instance(Settings(home=tmp_path / "closed" / "home")):
        pass
