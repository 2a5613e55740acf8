"""Commands of the operator's that a cut-over calls: to stop the old application, to let the new one in, and back.

Belongs here: calling one within its time. Does not belong here: when it is called, and what it does.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

from remoteiq_etl.config.validation import PREFIX
from remoteiq_etl.errors import CutOverError

#: What a command that was told to end may still do, in seconds.
_GRACE = 2.0


def call(command: Sequence[str], word: str, seconds: float, facts: Mapping[str, str] | None = None) -> None:
    """Call a command with one word behind its arguments; it and what it started are ended when its time is up.

    It sees the environment without our settings, which may hold passwords, and `facts` as REMOTEIQ_<NAME>. What it prints goes
    to our stderr. Raises CutOverError when it cannot be started, fails, or takes too long.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environ |= {PREFIX + name.upper(): value for name, value in (facts or {}).items()}
    shown = f"the command {command[0]} ({word})"
    try:
        process = subprocess.Popen([*command, word], stdin=subprocess.DEVNULL, stdout=2, env=environ, process_group=0)
    except OSError as error:
        raise CutOverError(f"{shown} cannot be started: {error.strerror}. Name an executable file.") from error
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise CutOverError(f"{shown} took longer than {seconds:g} seconds, and was ended.") from None
    finally:
        _end(process)
    if code:
        raise CutOverError(f"{shown} failed with exit status {code}.")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of a command; nothing where it ended by itself."""
    for told in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, told)
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            continue
