"""The ways an alert leaves this program: e-mail and a webhook. One that fails is a warning, never the failure of a run.

Belongs here: talking to mail servers and webhooks. Does not belong here: what is said (see alerts). No warning holds the
address of a webhook, a password, or what a server answered.
"""

import contextlib
import http.client
import json
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

from remoteiq_etl.config.alerts import Alerting, Email, Security
from remoteiq_etl.frames.shown_text import one_line, visible

#: What a channel may meet: no server, no answer in time, a certificate of somebody else, an answer that is a refusal.
_REFUSALS = (OSError, smtplib.SMTPException, http.client.HTTPException, UnicodeError)


def deliver(alerting: Alerting, subject: str, text: str, facts: dict[str, Any]) -> list[str]:
    """Send one alert over every channel there is, its control characters visible. Returns a warning for each that failed."""
    subject, text, facts = one_line(subject), visible(text), _visible_facts(facts)
    warnings = []
    if alerting.email is not None:
        try:
            _mail(alerting.email, subject, text, alerting.timeout_seconds)
        except _REFUSALS as error:
            warnings.append(f"The alert {subject!r} could not be sent by e-mail: {_reason(error)}.")
    if alerting.webhook is not None:
        try:
            _post(alerting.webhook, {"text": f"{subject}\n{text}", **facts}, alerting.timeout_seconds)
        except _REFUSALS as error:
            warnings.append(f"The alert {subject!r} could not be sent to the webhook: {_reason(error)}.")
    return warnings


def _visible_facts(value: Any) -> Any:
    """What a program is sent may be shown to a person there."""
    if isinstance(value, dict):
        return {one_line(name): _visible_facts(item) for name, item in value.items()}
    return one_line(value) if isinstance(value, str) else value


def _mail(email: Email, subject: str, text: str, timeout: float) -> None:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = email.sender
    message["To"] = ", ".join(email.to)
    message.set_content(text)
    with _connected(email, timeout) as server:
        if email.user is not None and email.password is not None:
            server.login(email.user, email.password)
        server.send_message(message)


@contextlib.contextmanager
def _connected(email: Email, timeout: float) -> Iterator[smtplib.SMTP]:
    context = ssl.create_default_context()
    if email.security is Security.TLS:
        with smtplib.SMTP_SSL(email.host, email.port, timeout=timeout, context=context) as server:
            yield server
        return
    with smtplib.SMTP(email.host, email.port, timeout=timeout) as server:
        if email.security is Security.STARTTLS:
            server.starttls(context=context)
        yield server


def _post(url: str, facts: dict[str, Any], timeout: float) -> None:
    request = urllib.request.Request(  # noqa: S310  # http or https: checked with the settings
        url, json.dumps(facts).encode(), {"Content-Type": "application/json", "User-Agent": "remoteiq-etl"}
    )
    with urllib.request.urlopen(request, timeout=timeout):  # noqa: S310  # likewise
        pass


def _reason(error: BaseException) -> str:
    """What happened, without a text of the other side: it may repeat what we sent."""
    if isinstance(error, urllib.error.HTTPError):
        return f"it answered {error.code}"
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, BaseException):
        return type(error.reason).__name__
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the server answered {error.smtp_code} ({type(error).__name__})"
    return type(error).__name__
