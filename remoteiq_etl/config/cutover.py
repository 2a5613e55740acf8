"""How a cut-over goes: the [cutover] of the configuration file.

Belongs here: the ways to keep the old application from writing, limits of time, commands of the operator's, and their
defaults. Does not belong here: doing any of it (remoteiq_etl.lifecycle.cutover).
"""

from typing import Annotated

from pydantic import Field, Strict

from remoteiq_etl.config.fence_kind import FenceKind
from remoteiq_etl.config.validation import Expected, SettingsTable

ADMIN_VARIABLE = "REMOTEIQ_LEGACY_ADMIN_URL"
_HOUR, _HUNDRED_YEARS = 3_600, 36_500


def _seconds(most: float) -> Expected:
    return Expected(f"seconds above 0 and up to {most:g}")


_Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Expected('a list such as ["remoteiq_app"]')]
_Command = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    Expected('a program and its arguments such as ["/usr/local/bin/stop-remoteiq", "--now"]'),
]
_Seconds = Annotated[float, Strict(), Field(gt=0, le=_HOUR), _seconds(_HOUR)]


class CutOverSettings(SettingsTable):
    """The fence and whom it is for, how long is waited for what, commands, and the age at which legacy may be dropped.

    `roles`: the roles of the old application; of `read_only` none means the whole database. `fence_hook` is called with
    `take` or `give-back` behind its arguments, `switch_hook` with `switch` or `back`. `wait_seconds`: for transactions that
    are open when the fence is taken; `hook_seconds`: for a command; `lock_seconds`, `attempts`: for the locks of the switch.
    """

    fence: Annotated[FenceKind, Expected(", ".join(FenceKind))] = FenceKind.READ_ONLY
    roles: _Names = ()
    fence_hook: _Command = ()
    switch_hook: _Command = ()
    wait_seconds: _Seconds = 60.0
    hook_seconds: _Seconds = 60.0
    lock_seconds: _Seconds = 3.0
    attempts: Annotated[int, Strict(), Field(ge=1, le=100), Expected("a whole number from 1 to 100")] = 5
    cleanup_after_days: Annotated[
        int, Strict(), Field(ge=0, le=_HUNDRED_YEARS), Expected(f"0 to {_HUNDRED_YEARS} days")
    ] = 30
