"""Dagster's instance: that of DAGSTER_HOME, else one of the project's own, made on first use.

Belongs here: where runs are recorded, and what a new instance is configured with. Does not belong here: running jobs.
"""

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import yaml

from remoteiq_etl.bundled_server.cluster import explain_os_error
from remoteiq_etl.bundled_server.databases import make_home
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConfigurationError, RemoteIQError
from remoteiq_etl.orchestration.runtime import sqlite, storage
from remoteiq_etl.orchestration.runtime.home import dagster_home
from remoteiq_etl.orchestration.runtime.run_options import POOL

CONFIG_NAME = "dagster.yaml"
CONFIG = """\
# Written by remoteiq-etl, which renews it as long as nobody has edited it. Edit it and it is yours.
telemetry:
  enabled: false

# No invitation to a newsletter over the first page.
nux:
  enabled: false

# What a step prints is not kept: it has nothing to print, and the terminal stays the command line's.
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager

# One run of a source at a time; the next one waits in the queue.
concurrency:
  runs:
    tag_concurrency_limits:
      - key: remoteiq/source
        value:
          applyLimitPerUniqueValue: true
        limit: 1
  # The same for what is materialized by hand, which has no tag: all steps that write a source are of one pool.
  pools:
    granularity: run
    default_limit: 1

# A run whose process was killed, or whose connection was lost, is started again, as often as its job says. An error that
# would come again is not.
run_retries:
  enabled: true
  max_retries: 0
  retry_on_asset_or_op_failure: false

# A killed process leaves no run "started".
run_monitoring:
  enabled: true
  start_timeout_seconds: 300
  cancel_timeout_seconds: 300
  poll_interval_seconds: 30
run_launcher:
  module: remoteiq_etl.orchestration.runtime.launcher
  class: LocalRunLauncher

# A sensor ticks every 30 seconds, mostly to say that there is nothing to do. Of runs see [retention] in remoteiq.toml.
retention:
  schedule:
    purge_after_days: {skipped: 7, success: 30, failure: 30, started: 30}
  sensor:
    purge_after_days: {skipped: 1, success: 30, failure: 30, started: 30}
"""
#: What earlier versions wrote, by SHA-256. A file of these nobody has edited.
EARLIER = frozenset(
    {
        "c6926657251d45e75ad5f7b4105d39c100026be65e106852d87437ac1569a417",
        "d8cf7fe18da4215c03005a36f878227d0a28b6f432b14eba3efdbbe11e13cbf8",
        "9ebcd94b820639e097db247260aeb866f5153feec1c389b29d16271a3f4eb520",
        "1f0cc6dc42e5befec8fc5969cb8e56145399d1ef42f51cf21716aa5219dd4264",
    }
)
EDITED = (
    "{path} was edited and is left as it is. What this version adds (queueing, retries, the monitor of killed runs, retention of ticks) is"
    " missing there: {missing}. Copy it from a new one: move yours away and start again."
)


@contextlib.contextmanager
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The instance of these settings; the project's own is made when it is not there. Reports nothing to anybody.

    Raises ConfigurationError when Dagster cannot use DAGSTER_HOME, StorageFailed when it cannot keep its records there, then or
    later, EmbeddedServerError when a directory cannot be made.
    """
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    home = dagster_home(settings)
    if home == settings.home / "dagster":
        make_instance(settings)
    elif not home.is_dir():
        raise ConfigurationError(f"DAGSTER_HOME is {home}, which is no directory. Make it, or unset DAGSTER_HOME.")
    try:
        with storage.explaining(home):
            opened = dg.DagsterInstance.from_config(str(home))
    except (dg.DagsterError, OSError) as error:
        raise ConfigurationError(
            f"Dagster cannot use its home {home}: {error} Mend it, or unset DAGSTER_HOME."
        ) from error
    with storage.explaining(home), sqlite.kept_open(), sqlite.engines_reused(), opened:
        if home == settings.home / "dagster":
            limit_pool(opened)
        yield opened


def limit_pool(opened: dg.DagsterInstance) -> None:
    """Let one run at a time write a source. By its default limit alone the queue knows a pool only after the first runs of it."""
    if POOL not in opened.event_log_storage.get_concurrency_keys():
        opened.event_log_storage.set_concurrency_slots(POOL, 1)


def make_instance(settings: Settings) -> Path:
    """Make the project's own instance and give its directory. A configuration that somebody edited stays; several may try."""
    make_home(settings.home)
    directory = settings.home / "dagster"
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        if _is_ours(directory / CONFIG_NAME):
            _write_whole(directory / CONFIG_NAME, CONFIG)
    except OSError as error:
        raise explain_os_error(error, "making Dagster's instance", directory) from error
    return directory


def lacking(directory: Path) -> list[str]:
    """The parts of our configuration that the one of an instance does not have. Raises ConfigurationError."""
    path = directory / CONFIG_NAME
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path} cannot be read as YAML: {type(error).__name__}. Mend it.") from error
    return sorted(yaml.safe_load(CONFIG).keys() - (found or {}).keys())


def main() -> None:
    """Print the home of Dagster, made when it is the project's own: for `make dev`."""
    settings = Settings.load()
    home = dagster_home(settings)
    if home == settings.home / "dagster":
        make_instance(settings)
        with instance(settings):
            pass  # opened once, its pool has a limit
        if missing := lacking(home):
            sys.stderr.write(EDITED.format(path=home / CONFIG_NAME, missing=", ".join(missing)) + "\n")
    print(home)  # noqa: T201  # the command's result


def _is_ours(path: Path) -> bool:
    """Whether the configuration is to be written: there is none, or an earlier version's that nobody has edited."""
    return not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() in EARLIER


def _write_whole(path: Path, text: str) -> None:
    """Let the file appear with all of its text: Dagster refuses half of a configuration."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name, delete=False, encoding="utf-8") as draft:
        draft.write(text)
    Path(draft.name).replace(path)


if __name__ == "__main__":
    try:
        main()
    except RemoteIQError as error:
        sys.exit(str(error))
