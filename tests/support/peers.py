"""What alerts are sent to, on loopback: a mail server that speaks SMTP, and a webhook. Each keeps what it was sent."""

import base64
import contextlib
import json
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


@dataclass
class Mailbox:
    """What a mail server was sent. `logins`: user and password of each."""

    port: int = 0
    refuse_recipients: bool = False
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)


class _MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, box: Mailbox) -> None:
        super().__init__(("127.0.0.1", 0), _Smtp)
        self.box = box
        box.port = self.server_address[1]


class _Smtp(socketserver.StreamRequestHandler):
    """One session."""

    def handle(self) -> None:
        assert isinstance(self.server, _MailServer)
        self.box = self.server.box
        answers = {"EHLO": self.hello, "AUTH": self.login, "RCPT": self.recipient, "DATA": self.message}
        self.say("220 mail.example.com ESMTP")
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            if word == "QUIT":
                self.say("221 bye")
                return
            answers.get(word, self.fine)(line)

    def hello(self, _line: str) -> None:
        self.say("250-mail.example.com")
        self.say("250 AUTH PLAIN")

    def login(self, line: str) -> None:
        _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
        self.box.logins.append((user, password))
        self.say("235 welcome")

    def recipient(self, line: str) -> None:
        if self.box.refuse_recipients:
            self.say(f"550 {line} is unknown here")
            return
        self.box.recipients.append(line.partition("<")[2].rpartition(">")[0])
        self.fine(line)

    def message(self, line: str) -> None:
        self.say("354 go on")
        text = b"".join(iter(self.rfile.readline, b".\r\n"))
        found = message_from_bytes(text, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self.box.messages.append(found)
        self.fine(line)

    def fine(self, _line: str) -> None:
        self.say("250 fine")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextlib.contextmanager
def mail_server() -> Iterator[Mailbox]:
    """An SMTP server without TLS that knows AUTH PLAIN."""
    box = Mailbox()
    with _MailServer(box) as server, _serving(server):
        yield box


@dataclass
class Hook:
    """What a webhook was sent, as JSON, and what it answers."""

    url: str = ""
    status: int = 200
    posts: list[dict[str, Any]] = field(default_factory=list)


@contextlib.contextmanager
def webhook(status: int = 200) -> Iterator[Hook]:
    """An HTTP server that takes POST requests; its address holds a secret, as those of chats do."""
    hook = Hook(status=status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            assert self.headers["Content-Type"] == "application/json"
            hook.posts.append(json.loads(self.rfile.read(length)))
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # the name is the library's
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.url = f"http://127.0.0.1:{server.server_address[1]}/hooks/s3cr3t-hook"
        with _serving(server):
            yield hook


@contextlib.contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
