"""A pooler in transaction mode for tests: all clients share one server connection, each for the length of a transaction.

As PgBouncer does it with `pool_mode = transaction`: a client that is in no transaction has no server connection, and what it set
in one belongs to whoever comes next. Does not belong here: what a pooler makes of start-up packets (see poolers).
"""

import contextlib
import itertools
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.poolers import PASSED, exactly, packet, startup

_numbers = itertools.count(1)


@dataclass
class TransactionPooler:
    """A relay that listens in a directory."""

    directory: Path
    server: Path
    turn: threading.Lock = field(default_factory=threading.Lock)
    connection: socket.socket | None = None
    greeting: list[tuple[bytes, bytes]] = field(default_factory=list)

    def url(self, url: str) -> str:
        """The URL of a database through the relay."""
        return url.replace(str(self.server).replace("/", "%2F"), str(self.directory).replace("/", "%2F"))

    def accept(self, listener: socket.socket) -> None:
        """Take clients until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, EOFError):
            parameters = startup(client)
            with self.turn:
                shared = self._connected(parameters)
            for kind, body in self.greeting:
                # A pooler has cancel keys of its own: the number in it is that of no backend.
                own = struct.pack("!i", next(_numbers)) + body[4:] if kind == b"K" else body
                client.sendall(_message(kind, own))
            while (kind_of := self._transaction(client, shared)) != b"X":
                assert kind_of

    def _connected(self, parameters: dict[str, str]) -> socket.socket:
        if self.connection is None:
            self.connection = socket.socket(socket.AF_UNIX)
            self.connection.connect(str(self.server / ".s.PGSQL.5432"))
            self.connection.sendall(packet({name: parameters[name] for name in PASSED if name in parameters}))
            self.greeting += _until_ready(self.connection)
        return self.connection

    def _transaction(self, client: socket.socket, shared: socket.socket) -> bytes:
        """Hold the server connection from the first message of a client until no transaction is open."""
        kind, body = _read(client)
        if kind == b"X":
            return kind
        with self.turn:
            while True:
                shared.sendall(_message(kind, body))
                if kind in (b"Q", b"S"):
                    answers = _until_ready(shared)
                    client.sendall(b"".join(_message(*answer) for answer in answers))
                    if answers[-1][1] == b"I":
                        return kind
                kind, body = _read(client)
                if kind == b"X":
                    return kind


@contextlib.contextmanager
def transaction_pooler(directory: Path, server: Path) -> Iterator[TransactionPooler]:
    """A relay for the length of a with block."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(directory / ".s.PGSQL.5432"))
        listener.listen()
        relay = TransactionPooler(directory, server)
        threading.Thread(target=relay.accept, args=(listener,), daemon=True).start()
        yield relay
        listener.shutdown(socket.SHUT_RDWR)
        if relay.connection is not None:
            relay.connection.close()


def _read(connection: socket.socket) -> tuple[bytes, bytes]:
    kind, length = struct.unpack("!ci", exactly(connection, 5))
    return kind, exactly(connection, length - 4)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _until_ready(connection: socket.socket) -> list[tuple[bytes, bytes]]:
    found = [_read(connection)]
    while found[-1][0] != b"Z":
        found.append(_read(connection))
    return found
