"""Dagster's instance: that of DAGSTER_HOME, else one of the project's own, made on first use.

Belongs here: where runs are recorded, and what a new instance is configured with. Does not belong here: running jobs.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from remoteiq_etl.cluster import explain_os_error
from remoteiq_etl.config import Settings
from remoteiq_etl.embedded import make_home
from remoteiq_etl.errors import ConfigurationError, RemoteIQError
from remoteiq_etl.orchestration import sqlite

CONFIG_NAME = "dagster.yaml"
CONFIG = """\
# Written on first use; yours to edit.
telemetry:
  enabled: false

# No invitation to a newsletter over the first page.
nux:
  enabled: false

# What a step prints is not kept: it has nothing to print, and the terminal stays the command line's.
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""


def dagster_home(settings: Settings) -> Path:
    """Where Dagster keeps its runs: DAGSTER_HOME, else below the project's data directory. Nothing is created."""
    named = os.environ.get("DAGSTER_HOME", "").strip()
    return Path(named).expanduser() if named else settings.home / "dagster"


@contextlib.contextmanager
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The instance of these settings; the project's own is made when it is not there. Reports nothing to anybody.

    Raises ConfigurationError when Dagster cannot use DAGSTER_HOME, EmbeddedServerError when a directory cannot be made.
    """
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    home = dagster_home(settings)
    if home == settings.home / "dagster":
        make_instance(settings)
    elif not home.is_dir():
        raise ConfigurationError(f"DAGSTER_HOME is {home}, which is no directory. Make it, or unset DAGSTER_HOME.")
    try:
        opened = dg.DagsterInstance.from_config(str(home))
    except (dg.DagsterError, OSError) as error:
        raise ConfigurationError(
            f"Dagster cannot use its home {home}: {error} Mend it, or unset DAGSTER_HOME."
        ) from error
    with sqlite.kept_open(), opened:
        yield opened


def make_instance(settings: Settings) -> Path:
    """Make the project's own instance and give its directory. A configuration that is there stays; several may try."""
    make_home(settings.home)
    directory = settings.home / "dagster"
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        if not (directory / CONFIG_NAME).exists():
            _write_whole(directory / CONFIG_NAME, CONFIG)
    except OSError as error:
        raise explain_os_error(error, "making Dagster's instance", directory) from error
    return directory


def main() -> None:
    """Print the home of Dagster, made when it is the project's own: for `make dev`."""
    settings = Settings.load()
    home = dagster_home(settings)
    print(make_instance(settings) if home == settings.home / "dagster" else home)  # noqa: T201  # the command's result


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
