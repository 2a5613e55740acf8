"""E-mail and webhook, to real servers on loopback: what arrives, and what is said when nothing does."""

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from remoteiq_etl.config.alerts import Alerting, AlertKind, Email, Security
from remoteiq_etl.lifecycle.alerts.alerts import Alert, send
from tests.support.peers import Hook, Mailbox, mail_server, webhook

ALERT = Alert(
    AlertKind.QUARANTINE,
    "head-office",
    "3 more rows in quarantine, 5 in all",
    ["users: 3 more rows in quarantine, 5 in all"],
    12,
    "a-dagster-run",
    {"users": {"new": 3, "waiting": 5}},
)


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook() as hook:
        yield hook


def mailing(box: Mailbox, **more: object) -> Alerting:
    settings = {"port": box.port, "security": Security.OFF, **more}
    return Alerting(email=Email("127.0.0.1", "etl@example.com", ("ops@example.com", "dba@example.com"), **settings))


def test_an_email_says_what_happened_and_where_to_look(box: Mailbox) -> None:
    assert send(mailing(box), ALERT) == []
    (message,) = box.messages
    assert message["Subject"] == "[remoteiq-etl] head-office: 3 more rows in quarantine, 5 in all"
    assert (message["From"], message["To"]) == ("etl@example.com", "ops@example.com, dba@example.com")
    assert box.recipients == ["ops@example.com", "dba@example.com"]
    assert message.get_content().splitlines() == [
        "users: 3 more rows in quarantine, 5 in all",
        "",
        "Run 12, Dagster run a-dagster-run.",
        "remoteiq-etl quarantine list shows which rows and why.",
    ]
    assert box.logins == []


INJECTING = "users\r\nBcc: eve@example.org\r\n\r\nCome to\x1b[2J\u202e"
INJECTED = r"users\u000d\u000aBcc: eve@example.org\u000d\u000a\u000d\u000aCome to\u001b[2J\u202e"


def test_a_name_adds_no_header_to_an_email(box: Mailbox) -> None:
    """Lines of the text end with it; its control characters are shown."""
    assert send(mailing(box), replace(ALERT, title=f"the brake holds {INJECTING}", lines=[INJECTING])) == []
    (message,) = box.messages
    assert message["Subject"] == f"[remoteiq-etl] head-office: the brake holds {INJECTED}"
    assert message["Bcc"] is None
    assert box.recipients == ["ops@example.com", "dba@example.com"]
    assert r"Come to\u001b[2J\u202e" in message.get_content()
    assert not {"\x1b", "\u202e"} & set(message.get_content())


def test_a_webhook_gets_names_that_can_be_shown(hook: Hook) -> None:
    alert = replace(ALERT, source=INJECTING, counts={INJECTING: {"new": 1, "waiting": 1}})
    assert send(Alerting(webhook=hook.url), alert) == []
    (post,) = hook.posts
    assert post["text"].startswith(f"[remoteiq-etl] {INJECTED}: 3 more")
    assert (post["source"], list(post["tables"])) == (INJECTED, [INJECTED])


def test_who_has_a_user_logs_in(box: Mailbox) -> None:
    assert send(mailing(box, user="etl", password="hunter2"), ALERT) == []
    assert (len(box.messages), box.logins) == (1, [("etl", "hunter2")])


def test_nothing_is_sent_in_clear_to_a_server_without_tls(box: Mailbox) -> None:
    (warning,) = send(mailing(box, security=Security.STARTTLS, user="etl", password="hunter2"), ALERT)
    assert warning.endswith("could not be sent by e-mail: SMTPNotSupportedError.")
    assert (box.messages, box.logins) == ([], [])


def test_what_the_mail_server_says_is_not_repeated(box: Mailbox) -> None:
    box.refuse_recipients = True
    (warning,) = send(mailing(box), ALERT)
    assert warning.endswith("could not be sent by e-mail: SMTPRecipientsRefused.")


def test_a_webhook_gets_the_text_and_the_figures(hook: Hook) -> None:
    assert send(Alerting(webhook=hook.url), ALERT) == []
    (post,) = hook.posts
    assert post.pop("text").startswith("[remoteiq-etl] head-office: 3 more rows in quarantine, 5 in all\nusers: 3 more")
    assert post == {
        "kind": "quarantine",
        "source": "head-office",
        "title": "3 more rows in quarantine, 5 in all",
        "run": 12,
        "orchestrator_run_id": "a-dagster-run",
        "tables": {"users": {"new": 3, "waiting": 5}},
    }


def test_a_webhook_that_refuses_is_a_warning_without_its_address() -> None:
    with webhook(status=500) as refusing:
        (warning,) = send(Alerting(webhook=refusing.url), ALERT)
    assert warning.endswith("could not be sent to the webhook: it answered 500.")
    (warning,) = send(Alerting(webhook=refusing.url), ALERT)
    assert warning.endswith("could not be sent to the webhook: ConnectionRefusedError.")
    assert "s3cr3t-hook" not in warning


def test_a_silent_server_holds_nobody_up(hook: Hook) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        silent_mail = Email("127.0.0.1", "etl@example.com", ("ops@example.com",), port, Security.OFF)
        warnings = send(Alerting(email=silent_mail, webhook=hook.url, timeout_seconds=0.2), ALERT)
    assert [warning.rpartition(": ")[2] for warning in warnings] == ["SMTPServerDisconnected."]
    assert len(hook.posts) == 1, "the other channel is tried all the same"


def test_kinds_that_nobody_wants_are_not_sent(hook: Hook) -> None:
    assert send(Alerting(on=frozenset({AlertKind.FAILURE}), webhook=hook.url), ALERT) == []
    assert hook.posts == []
