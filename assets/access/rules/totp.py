"""Second factors as the legacy application stored them, in the form that the new one compares.

Belongs here: reading one TOTP secret and one recovery code. Does not belong here: whose they are.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

_BASE32 = re.compile("[A-Za-z2-7]+=*")
_SHA256 = re.compile("[0-9a-f]{64}")
# What the new application assumes of every secret.
_ASSUMED = {"digits": "6", "period": "30", "algorithm": "SHA1"}
_SCHEME = "otpauth:"


@dataclass(frozen=True)
class Secret:
    """A TOTP secret as it is carried. `unreadable`: as it was. `unusual`: its URI asks for codes of another kind."""

    text: str
    unreadable: bool = False
    unusual: bool = False


def read_secret(text: str) -> Secret:
    """The secret in upper case without spaces, taken out of an otpauth URI; text that is no secret stays as it is."""
    is_uri = text.strip().lower().startswith(_SCHEME)
    parameters = _parameters(text.strip()) if is_uri else {"secret": text}
    secret = "".join(parameters.get("secret", "").split())
    if not _BASE32.fullmatch(secret):  # asked before: the capitals of some other letters are base32
        return Secret(text, unreadable=True)
    return Secret(secret.upper(), unusual=is_uri and _is_unusual(text.strip(), parameters))


def hashed_code(code: str) -> str | None:
    """A recovery code as lower-case hex of its SHA-256; one that is hashed already stays. None of a blank."""
    bare = code.strip().lower()
    if not bare:
        return None
    return bare if _SHA256.fullmatch(bare) else sha256(bare.encode()).hexdigest()


def _parameters(uri: str) -> dict[str, str]:
    try:
        query = urlsplit(uri).query
    except ValueError:
        return {}
    return {name.lower(): values[0] for name, values in parse_qs(query).items()}


def _is_unusual(uri: str, parameters: dict[str, str]) -> bool:
    others = any(parameters.get(name, assumed).upper() != assumed for name, assumed in _ASSUMED.items())
    return others or urlsplit(uri).netloc.lower() != "totp"
