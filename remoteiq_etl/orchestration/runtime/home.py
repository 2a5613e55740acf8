"""Where Dagster keeps its runs, and how much room they take.

Belongs here: the directory. Does not belong here: what is in it (see instance, pruning), and Dagster: who asks for the size
need not wait for its import.
"""

import contextlib
import os
from pathlib import Path

from remoteiq_etl.config.settings import Settings


def dagster_home(settings: Settings) -> Path:
    """Where Dagster keeps its runs: DAGSTER_HOME, else below the project's data directory. Nothing is created."""
    named = os.environ.get("DAGSTER_HOME", "").strip()
    return Path(named).expanduser() if named else settings.home / "dagster"


def bytes_in(directory: Path) -> int:
    """Bytes of all files below a directory; 0 where there is none. What another process deletes meanwhile counts as gone."""
    total = 0
    for parent, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118  # thousands of files, each second run
    return total
