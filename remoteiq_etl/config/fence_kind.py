"""The kinds of write fences, by name: a module of its own, so that the command line can name them without loading settings."""

from enum import StrEnum


class FenceKind(StrEnum):
    """What keeps the old application from writing to the legacy database."""

    READ_ONLY = "read_only"  # default_transaction_read_only of the database, or of roles; sessions are ended
    REVOKE = "revoke"  # rights to write are taken from named roles
    HOOK = "hook"  # a command of the operator's
    STOPPED = "stopped"  # the operator has stopped the application; nothing is done, and it is watched
