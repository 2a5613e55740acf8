"""How a command ends, as a number for scripts. Nothing else belongs here."""

from enum import IntEnum


class Exit(IntEnum):
    """How a command ends. ATTENTION: everything is done, and quarantined or held rows wait for somebody. INTERRUPTED: by Ctrl-C
    or SIGTERM, as shells count it."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    ATTENTION = 3
    INTERRUPTED = 130
