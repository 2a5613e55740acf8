"""Connection URLs: what libpq makes of them, and how they are shown without their password.

Does not belong here: which URL an operator sets (remoteiq_etl.config.settings); connecting.
"""

import re

from psycopg.conninfo import conninfo_to_dict

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


def is_postgresql_url(url: str) -> bool:
    """Whether the URL is one of PostgreSQL, with psycopg or without a driver."""
    scheme = _SCHEME.match(url)
    return scheme is not None and (scheme[2] or "+psycopg").lower() == "+psycopg"


def connection_parameters(url: str) -> dict[str, str]:
    """What the URL says, by libpq's names. Raises psycopg.ProgrammingError, whose text quotes the URL, password and all."""
    return {name: str(value) for name, value in conninfo_to_dict(libpq_url(url)).items() if value is not None}
