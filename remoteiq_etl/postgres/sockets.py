"""Whether the server has closed the connection of a session of the Arrow driver, seen from outside.

The driver up to 1.10 ends the whole process (std::logic_error) when it begins a statement on a closed connection, or when a script
of several statements finds it closed: such an error has no SQLSTATE, and the driver makes a text of it. So its socket is looked at
before each statement, which costs some microseconds, and scripts are not used.
Needs /proc and POLLRDHUP, which Linux has; elsewhere nothing is seen. Belongs here: finding the socket of a connection that was
just opened, and looking at it. Does not belong here: what follows.
"""

import select
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_DESCRIPTORS = Path("/proc/self/fd")


@dataclass(frozen=True)
class ServerSocket:
    """One end of a connection. `inode`: which socket it is; the descriptor is another one's once that is closed."""

    descriptor: int
    inode: int

    def is_closed(self) -> bool:
        """Whether the other end has closed it, or ours has let go of it."""
        if _inode(str(self.descriptor)) != self.inode:
            return True
        poll = select.poll()
        poll.register(self.descriptor, select.POLLRDHUP)
        return bool(poll.poll(0))


def open_sockets() -> Mapping[int, int]:
    """The inodes of the sockets of this process by descriptor; none where they cannot be listed."""
    if not _DESCRIPTORS.is_dir():
        return {}
    names = [path.name for path in _DESCRIPTORS.iterdir()]
    return {int(name): inode for name in names if (inode := _inode(name)) is not None}


def opened_since(before: Mapping[int, int]) -> ServerSocket | None:
    """The socket that was opened since; None where none is, or several are, as by another thread."""
    found = [ServerSocket(*pair) for pair in open_sockets().items() if before.get(pair[0]) != pair[1]]
    return found[0] if len(found) == 1 and hasattr(select, "POLLRDHUP") else None


def _inode(descriptor: str) -> int | None:
    try:
        found = (_DESCRIPTORS / descriptor).stat()
    except OSError:
        return None
    return found.st_ino if stat.S_ISSOCK(found.st_mode) else None
