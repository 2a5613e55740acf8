"""A pooler for tests: a relay in front of a server that takes start-up packets apart, as PgBouncer does.

Belongs here: the two ways in which a pooler treats the settings of a start-up packet. Does not belong here: sharing connections.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_REQUESTS = (80877103, 80877104)  # for TLS and GSS: both are declined
_PROTOCOL = 196608
#: What every pooler passes on.
PASSED = ("user", "database", "client_encoding", "application_name")


@dataclass(frozen=True)
class Pooler:
    """A relay that listens in a directory. `refuses`: it ends a connection with settings; otherwise it swallows them."""

    directory: Path
    server: Path
    refuses: bool

    def url(self, url: str) -> str:
        """The URL of a database through the relay."""
        return url.replace(str(self.server).replace("/", "%2F"), str(self.directory).replace("/", "%2F"))

    def serve(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, EOFError):
            parameters = startup(client)
            if self.refuses and "options" in parameters:
                client.sendall(_error("unsupported startup parameter: options"))
                return
            with socket.socket(socket.AF_UNIX) as server:
                server.connect(str(self.server / ".s.PGSQL.5432"))
                server.sendall(packet({name: parameters[name] for name in PASSED if name in parameters}))
                threading.Thread(target=copy, args=(server, client), daemon=True).start()
                copy(client, server)


@contextlib.contextmanager
def pooler(directory: Path, server: Path, *, refuses: bool) -> Iterator[Pooler]:
    """A relay for the length of a with block."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(directory / ".s.PGSQL.5432"))
        listener.listen()
        relay = Pooler(directory, server, refuses)
        threading.Thread(target=relay.serve, args=(listener,), daemon=True).start()
        yield relay
        listener.shutdown(socket.SHUT_RDWR)


def startup(client: socket.socket) -> dict[str, str]:
    while True:
        (length,) = struct.unpack("!i", exactly(client, 4))
        body = exactly(client, length - 4)
        (code,) = struct.unpack("!i", body[:4])
        if code == _PROTOCOL:
            words = body[4:].split(b"\0")
            return {name.decode(): value.decode() for name, value in zip(words[::2], words[1::2], strict=False) if name}
        if code not in _REQUESTS:  # a request to cancel
            raise EOFError
        client.sendall(b"N")


def packet(parameters: dict[str, str]) -> bytes:
    body = struct.pack("!i", _PROTOCOL)
    body += b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items()) + b"\0"
    return struct.pack("!i", len(body) + 4) + body


def _error(text: str) -> bytes:
    body = f"SFATAL\0VFATAL\0C08P01\0M{text}\0\0".encode()
    return b"E" + struct.pack("!i", len(body) + 4) + body


def exactly(client: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = client.recv(size - len(found))
        if not part:
            raise EOFError
        found += part
    return found


def copy(source: socket.socket, goal: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            goal.sendall(part)
        goal.shutdown(socket.SHUT_WR)
