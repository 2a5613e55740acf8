"""The settings of alerts: what is accepted, what is refused, and that no secret is shown."""

from pathlib import Path
from typing import Any

import pytest

from remoteiq_etl.config.alerts import Alerting, AlertKind, Email, Security
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConfigurationError

SECRET = "hunter2"
HOOK = f"https://chat.example.com/hooks/{SECRET}"
EMAIL: dict[str, Any] = {"host": "mail.example.com", "from": "etl@example.com", "to": ["ops@example.com"]}


def read(table: object, **environ: str) -> Alerting:
    return Alerting.read(table, {f"REMOTEIQ_ALERTS_{name}": value for name, value in environ.items()}, "remoteiq.toml")


def test_without_settings_everything_is_logged_and_nothing_sent() -> None:
    assert read({}) == Alerting(frozenset(AlertKind), None, None, 10.0)


def test_every_setting_arrives() -> None:
    email = {**EMAIL, "port": 465, "security": "tls", "user": "etl"}
    found = read(
        {"on": ["failure", "brake"], "email": email, "timeout_seconds": 3}, SMTP_PASSWORD=SECRET, WEBHOOK=f" {HOOK} "
    )
    assert found == Alerting(
        frozenset({AlertKind.FAILURE, AlertKind.BRAKE}),
        Email("mail.example.com", "etl@example.com", ("ops@example.com",), 465, Security.TLS, "etl", SECRET),
        HOOK,
        3.0,
    )


def test_no_secret_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "remoteiq.toml").write_text(
        '[alerts.email]\nhost = "mail.example.com"\nfrom = "etl@example.com"\nto = ["ops@example.com"]\nuser = "etl"\n'
    )
    environ = {"REMOTEIQ_ALERTS_SMTP_PASSWORD": SECRET, "REMOTEIQ_ALERTS_WEBHOOK": HOOK}
    settings = Settings.load(environ, tmp_path)
    assert settings.alerts.webhook == HOOK
    assert settings.alerts.email is not None
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("all", r"\[alerts\]: expected a table, found str"),
        ({"webhook": HOOK}, r"unknown setting 'webhook'.*REMOTEIQ_ALERTS_WEBHOOK"),
        ({"email": f"smtp://etl:{SECRET}@mail"}, r"\[alerts.email\]: expected a table, found str"),
        ({"email": {"host": "mail"}}, r"\[alerts.email\] from: expected an address .*, found nothing"),
        ({"email": {"host": "mail"}}, r"\[alerts.email\] to: expected a list of addresses .*, found nothing"),
        (
            {"email": {**EMAIL, "sender": "a@b"}},
            r"\[alerts.email\]: unknown setting 'sender'. .*Known: host, .*, from, to",
        ),
        ({"on": ["failures"]}, "on: expected a list of failure, brake, conflict, quarantine"),
        ({"timeout_seconds": 0}, "expected seconds above 0"),
        ({"email": {**EMAIL, "password": SECRET}}, r"\[alerts.email\]: unknown setting 'password'.*SMTP_PASSWORD"),
        ({"email": {**EMAIL, "to": []}}, r'to: expected a list of addresses such as \["ops@example.com"\]'),
        ({"email": {**EMAIL, "to": ["ops"]}}, r"to: expected a list of addresses .*, found \['ops'\]"),
        ({"email": {**EMAIL, "from": "a@b\nBcc: c@d"}}, "from: expected an address"),
        ({"email": {**EMAIL, "host": ""}}, "host: expected a text"),
        ({"email": {**EMAIL, "port": "25"}}, "port: expected a port from 1 to 65535, found '25'"),
        ({"email": {**EMAIL, "security": "ssl"}}, "security: expected starttls, tls, off"),
        ({"email": {**EMAIL, "user": "etl"}}, "a user and a password go together"),
    ],
)
def test_what_cannot_work_is_refused(table: object, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        read(table)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url", [SECRET, f"ftp://{SECRET}", f"https:///{SECRET}", f"https://[{SECRET}", f"https://a/{SECRET} b"]
)
def test_a_wrong_webhook_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="REMOTEIQ_ALERTS_WEBHOOK: expected a URL") as caught:
        read({}, WEBHOOK=url)
    assert SECRET not in str(caught.value)


def test_a_secret_in_the_file_is_refused_with_the_variable_to_set(tmp_path: Path) -> None:
    (tmp_path / "remoteiq.toml").write_text(f'alerts_webhook = "{HOOK}"\n')
    with pytest.raises(ConfigurationError, match="Set REMOTEIQ_ALERTS_WEBHOOK in the environment") as caught:
        Settings.load({}, tmp_path)
    assert SECRET not in str(caught.value)
