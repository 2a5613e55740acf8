"""Who is told when a run needs a person: the [alerts] of the configuration file, and secrets from the environment.

Belongs here: the kinds of alerts and the channels as settings. Does not belong here: making and sending alerts
(remoteiq_etl.lifecycle.alerts.alerts). No message and no repr holds a secret: the address of a webhook is one, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from remoteiq_etl.errors import ConfigurationError

PASSWORD_VARIABLE = "REMOTEIQ_ALERTS_SMTP_PASSWORD"  # noqa: S105  # the name of the variable
WEBHOOK_VARIABLE = "REMOTEIQ_ALERTS_WEBHOOK"


class Kind(StrEnum):
    """What a person is told of."""

    FAILURE = "failure"
    BRAKE = "brake"
    CONFLICT = "conflict"
    QUARANTINE = "quarantine"


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

    on: frozenset[Kind] = frozenset(Kind)
    email: Email | None = None
    webhook: str | None = field(default=None, repr=False)
    timeout_seconds: float = 10.0

    @classmethod
    def read(cls, table: object, environ: Mapping[str, str], where: str) -> "Alerting":
        """The settings of an [alerts] table and of the environment. Raises ConfigurationError."""
        given = _table(table, ("on", "email", "timeout_seconds"), f"{where}: [alerts]")
        return cls(
            on=_kinds(given.get("on", list(Kind)), f"{where}: [alerts] on"),
            email=_email(given["email"], environ, f"{where}: [alerts.email]") if "email" in given else None,
            webhook=_webhook(environ.get(WEBHOOK_VARIABLE, "").strip()),
            timeout_seconds=_seconds(given.get("timeout_seconds", 10), f"{where}: [alerts] timeout_seconds"),
        )


def _table(table: object, known: tuple[str, ...], where: str) -> Mapping[str, Any]:
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"{where}: expected a table, found {type(table).__name__}.")
    if unknown := sorted(table.keys() - set(known)):
        hint = " Passwords and webhooks come from the environment: " + f"{PASSWORD_VARIABLE}, {WEBHOOK_VARIABLE}."
        raise ConfigurationError(f"{where} has no setting {', '.join(unknown)}. Known: {', '.join(known)}.{hint}")
    return table


def _kinds(value: object, where: str) -> frozenset[Kind]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one in list(Kind) for one in value):
        raise ConfigurationError(f"{where}: expected a list of {', '.join(Kind)}; found {value!r}.")
    return frozenset(Kind(one) for one in value)


def _email(value: object, environ: Mapping[str, str], where: str) -> Email:
    given = _table(value, ("host", "port", "security", "user", "from", "to"), where)
    to = given.get("to")
    if not isinstance(to, list) or not to:
        raise ConfigurationError(f'{where} to: expected a list of addresses such as ["ops@example.com"], found {to!r}.')
    user = None if given.get("user") is None else _text(given["user"], f"{where} user")
    password = environ.get(PASSWORD_VARIABLE, "") or None
    if (user is None) != (password is None):
        raise ConfigurationError(
            f"{where}: a user and a password go together. Set user and {PASSWORD_VARIABLE}, or neither."
        )
    return Email(
        host=_text(given.get("host"), f"{where} host"),
        sender=_address(given.get("from"), f"{where} from"),
        to=tuple(_address(one, f"{where} to") for one in to),
        port=_port(given.get("port", 587), f"{where} port"),
        security=_security(given.get("security", Security.STARTTLS), f"{where} security"),
        user=user,
        password=password,
    )


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


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ConfigurationError(f"{where}: expected a text, found {value!r}.")
    return value


def _address(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.isprintable() or value.count("@") != 1 or value.strip("@") != value:
        raise ConfigurationError(f"{where}: expected an address such as ops@example.com, found {value!r}.")
    return value


def _port(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65_535:
        raise ConfigurationError(f"{where}: expected a port from 1 to 65535, found {value!r}.")
    return value


def _security(value: object, where: str) -> Security:
    if not isinstance(value, str) or value not in list(Security):
        raise ConfigurationError(f"{where}: expected {', '.join(Security)}; found {value!r}.")
    return Security(value)


def _seconds(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 600:
        raise ConfigurationError(f"{where}: expected seconds above 0 and up to 600, found {value!r}.")
    return float(value)
