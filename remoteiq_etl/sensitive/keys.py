"""The sealing keys: where they come from, and that nothing shows them.

Belongs here: reading keys from the environment or a file, refusing what is no key, making a new one. Does not belong
here: what is done with them (remoteiq_etl.sensitive.sealing). No message and no repr holds a key or a part of one.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from remoteiq_etl.errors import ConfigurationError

VARIABLE = "REMOTEIQ_SEALING_KEY"
FILE_VARIABLE = "REMOTEIQ_SEALING_KEY_FILE"
KEY_BYTES = 32

_ADVICE = "remoteiq-etl seal new-key prints a key that fits."


@dataclass(frozen=True, slots=True)
class SealingKeys:
    """One key or more, of 32 bytes each: the first seals, all open."""

    keys: tuple[bytes, ...] = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what is no key. Raises ConfigurationError."""
        if not self.keys or any(len(key) != KEY_BYTES for key in self.keys):
            raise ConfigurationError(f"expected sealing keys of {KEY_BYTES} bytes each, at least one. {_ADVICE}")


def new_key() -> str:
    """A fresh key as text, from the operating system's random source."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def parse(text: str, where: str) -> SealingKeys:
    """The keys of a text, separated by commas or white space. `where` names the text. Raises ConfigurationError."""
    parts = [part for part in re.split(r"[,\s]+", text) if part]
    if not parts:
        raise ConfigurationError(f"{where}: expected a sealing key, found nothing. {_ADVICE}")
    keys = [_decoded(part, f"{where}, key {number} of {len(parts)}") for number, part in enumerate(parts, 1)]
    return SealingKeys(tuple(dict.fromkeys(keys)))


def from_environment(environ: Mapping[str, str], directory: Path) -> SealingKeys | None:
    """The keys that REMOTEIQ_SEALING_KEY holds, or the file that REMOTEIQ_SEALING_KEY_FILE names; None without either.

    A relative path is the directory's. Raises ConfigurationError.
    """
    text, file = environ.get(VARIABLE, "").strip(), environ.get(FILE_VARIABLE, "").strip()
    if text and file:
        raise ConfigurationError(
            f"{VARIABLE} and {FILE_VARIABLE} are both set. Unset one: several keys may stand in it."
        )
    if file:
        return parse(_content((directory / Path(file).expanduser()).resolve()), FILE_VARIABLE)
    return parse(text, VARIABLE) if text else None


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except UnicodeDecodeError:
        # The codec's message quotes the byte that it could not read.
        raise ConfigurationError(f"{FILE_VARIABLE}: {path} is not a text file of keys. {_ADVICE}") from None
    except OSError as error:
        raise ConfigurationError(
            f"{FILE_VARIABLE}: {path} cannot be read ({error.strerror}). Name a file that holds the key, or unset it."
        ) from error


def _decoded(text: str, where: str) -> bytes:
    """One key from base64 of either alphabet, padded or not."""
    padded = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        key = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True)
    except (binascii.Error, ValueError):
        # Their messages say where in the key something is wrong.
        raise ConfigurationError(
            f"{where}: expected {KEY_BYTES} bytes in base64, found other text. {_ADVICE}"
        ) from None
    if len(key) != KEY_BYTES:
        raise ConfigurationError(f"{where}: expected {KEY_BYTES} bytes in base64, found {len(key)}. {_ADVICE}")
    return key
