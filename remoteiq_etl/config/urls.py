"""TODO-DOC remoteiq_etl/config/urls.py."""

import re

_SCHEME = re.compile(r"^(postgresql|postgres)(\+[a-z0-9_]+)?://", re.IGNORECASE)

_PASSWORD = re.compile(r"(?P<lead>://[^:/?#]*):.*@", re.DOTALL)

_PASSWORD_WORD = re.compile(r"(?i)\b(?P<name>password|sslpassword|passfile)\s*=\s*('(?:[^'\\]|\\.)*'|[^&\s]*)")


def redact_url(url: str) -> str:
    """Give the URL (or key=value connection string) with every password replaced by ***."""
    hidden = _PASSWORD.sub(r"\g<lead>:***@", url)
    return _PASSWORD_WORD.sub(r"\g<name>=***", hidden)


def libpq_url(url: str) -> str:
    """Give the URL as libpq, psycopg and ADBC want it: without a driver name."""
    return _SCHEME.sub("postgresql://", url)


def sqlalchemy_url(url: str) -> str:
    """Give the URL as SQLAlchemy wants it: naming the driver, because the bare scheme's meaning changed with 2.1."""
    return _SCHEME.sub("postgresql+psycopg://", url)
