"""Who is told when a run needs a person: the [alerts] of the configuration file, and secrets from the environment.

Belongs here: the kinds of alerts and the channels as settings. Does not belong here: making and sending alerts
(remoteiq_etl.lifecycle.alerts). No message and no repr holds a secret: the address of a webhook is one, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, Strict

from remoteiq_etl.config.validation import Expected, SettingsTable, Where, checked
from remoteiq_etl.errors import ConfigurationError

PASSWORD_VARIABLE = "REMOTEIQ_ALERTS_SMTP_PASSWORD"  # noqa: S105  # the name of the variable
WEBHOOK_VARIABLE = "REMOTEIQ_ALERTS_WEBHOOK"


class AlertKind(StrEnum):
    """What a person is told of."""

    FAILURE = "failure"
    BRAKE = "brake"
    CONFLICT = "conflict"
    QUARANTINE = "quarantine"
    LEGACY_WRITTEN = "legacy_written"
    GATE_CLOSED = "gate_closed"


class Security(StrEnum):
    """How a connection to the mail server is kept from being read."""

    STARTTLS = "starttls"
    TLS = "tls"
    OFF = "off"


@dataclass(frozen=True)
class Email:
    """A mail server, and who writes to whom through it."""

    host: str
    sender: str
    to: tuple[str, ...]
    port: int = 587
    security: Security = Security.STARTTLS
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Alerting:
    """Of what, and over which channels besides the log. `timeout_seconds`: how long a channel may take to answer."""

    on: frozenset[AlertKind] = frozenset(AlertKind)
    email: Email | None = None
    webhook: str | None = field(default=None, repr=False)
    timeout_seconds: float = 10.0

    @classmethod
    def read(cls, table: object, environ: Mapping[str, str], file: str) -> "Alerting":
        """The settings of an [alerts] table and of the environment. Raises ConfigurationError."""
        found = checked(_AlertsTable, table, Where(file, "alerts"))
        password = environ.get(PASSWORD_VARIABLE, "") or None
        return cls(
            on=found.on,
            email=_with_password(found.email, password, Where(file, "alerts.email")) if found.email else None,
            webhook=_webhook(environ.get(WEBHOOK_VARIABLE, "").strip()),
            timeout_seconds=found.timeout_seconds,
        )


def _text(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError
    return value


def _address(value: str) -> str:
    if not value.isprintable() or value.count("@") != 1 or value.strip("@") != value:
        raise ValueError
    return value


_Text = Annotated[str, AfterValidator(_text), Expected("a text")]
_Address = Annotated[str, AfterValidator(_address), Expected("an address such as ops@example.com")]


class _SecretsElsewhere(SettingsTable):
    """A table beside which secrets belong into the environment: what stands in its place might be one."""

    hint = f" Passwords and webhooks come from the environment: {PASSWORD_VARIABLE}, {WEBHOOK_VARIABLE}."
    is_shown = False


class _EmailTable(_SecretsElsewhere):
    """The table [alerts.email] of the file."""

    host: _Text
    port: Annotated[int, Strict(), Field(ge=1, le=65_535), Expected("a port from 1 to 65535")] = 587
    security: Annotated[Security, Expected(", ".join(Security))] = Security.STARTTLS
    user: _Text | None = None
    sender: _Address = Field(alias="from")
    to: Annotated[
        tuple[_Address, ...], Field(min_length=1), Expected('a list of addresses such as ["ops@example.com"]')
    ]


class _AlertsTable(_SecretsElsewhere):
    """The table [alerts] of the file."""

    on: Annotated[frozenset[AlertKind], Expected(f"a list of {', '.join(AlertKind)}")] = frozenset(AlertKind)
    email: _EmailTable | None = None
    timeout_seconds: Annotated[float, Strict(), Field(gt=0, le=600), Expected("seconds above 0 and up to 600")] = 10.0


def _with_password(table: _EmailTable, password: str | None, where: Where) -> Email:
    if (table.user is None) != (password is None):
        raise ConfigurationError(
            f"{where.of_table()}: a user and a password go together. Set user and {PASSWORD_VARIABLE}, or neither."
        )
    return Email(**dict(table), password=password)


def _webhook(url: str) -> str | None:
    if not url:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(letter.isspace() for letter in url):
        raise ConfigurationError(
            f"{WEBHOOK_VARIABLE}: expected a URL such as https://chat.example.com/hooks/…; it is none."
        )
    return url
