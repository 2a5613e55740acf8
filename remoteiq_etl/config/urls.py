"""Connection URLs: what libpq makes of them, and how they are shown without their password.

Does not belong here: which URL an operator sets (remoteiq_etl.config.settings); connecting.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

HIDDEN = "***"

_SCHEME = re.compile(r"^(postgresql|postgres)(\+[a-z0-9_]+)?://", re.IGNORECASE)
# Up to the last @: of a password with an unescaped @, libpq takes the rest for the host.
_PASSWORD = re.compile(r"(?P<lead>://[^:/]*):(?P<value>.*)@", re.DOTALL)
# Two of them before the parameters: which part is the user is not known either.
_MISREAD_USER = re.compile(r"://[^/?@]*@[^?]*@", re.DOTALL)
_USER_INFO = re.compile(r"://(?P<value>.*)@", re.DOTALL)
_PASSWORD_WORD = re.compile(r"(?i)\b(?P<name>password|sslpassword|passfile)\s*=\s*(?P<value>'(?:[^'\\]|\\.)*'|[^&\s]*)")
_PARAMETER = re.compile(r"\?\w+=")
#: What RFC 3986 reserves, with the percent sign: where libpq, or we, may take a password apart.
_RESERVED = re.compile(r"[\s@:/?#\[\]%&=,;+!$'()*]+")
#: A piece this short is hidden where it stands alone: every text has it within its words.
_SHORT = 3


def redact_url(url: str) -> str:
    """Give the URL (or key=value connection string) with every password replaced by ***."""
    hidden = _PASSWORD.sub(rf"\g<lead>:{HIDDEN}@", _MISREAD_USER.sub(f"://{HIDDEN}@", url))
    return _PASSWORD_WORD.sub(rf"\g<name>={HIDDEN}", hidden)


def is_misread(url: str) -> bool:
    """Whether libpq cannot read the URL, or must take a part of its user or password for another part.

    libpq ends the user and password at the first @, and looks for none behind a slash. Where one of the two has such a
    character unescaped, a further @ stands in what it takes for the host or the database, a word where it expects a port,
    or parameters in what it takes for the user.
    """
    rest = _SCHEME.sub("", url)
    before, at, behind = rest.partition("@")
    has_user = bool(at) and "/" not in before
    location = (behind if has_user else rest).partition("?")[0]
    return "@" in location or (has_user and _PARAMETER.search(before) is not None) or not _has_ports(url)


def without_secrets(text: str, url: str) -> str:
    """A text of libpq or a driver about this URL, without the passwords in it and without any piece of them.

    Of a URL that is misread the user goes, too: a part of the password may stand in its place.
    """
    shown = redact_url(text)
    for secret in sorted(set(_secrets(url)), key=len, reverse=True):
        pattern = re.escape(secret)
        shown = re.sub(pattern if len(secret) > _SHORT else rf"(?<!\w){pattern}(?!\w)", HIDDEN, shown)
    return shown


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


def _has_ports(url: str) -> bool:
    try:
        ports = connection_parameters(url).get("port", "").split(",")
    except ProgrammingError:
        return False
    return all(port.isascii() and port.isdigit() for port in ports if port)


def _secrets(url: str) -> Iterator[str]:
    """Every password of the URL as it is written and as it is meant, and its pieces between reserved characters."""
    for written in _passwords(url):
        for password in {written, unquote(written)}:
            yield from (piece for piece in (password, *_RESERVED.split(password)) if piece)


def _passwords(url: str) -> Iterator[str]:
    """The passwords as they are written; of a URL that is misread the user with them."""
    # An @ in a parameter is no end of a password: it would take the host along. Without any there is no user.
    before, at, _ = _SCHEME.sub("://", url).partition("@")
    before += at
    if found := _USER_INFO.search(url) if is_misread(url) else _PASSWORD.search(before):
        yield found["value"]
    yield from (found["value"] for found in _PASSWORD_WORD.finditer(url) if found["name"].lower() != "passfile")
