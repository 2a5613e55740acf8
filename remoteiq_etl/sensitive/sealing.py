"""Sealing: authenticated encryption of secrets that are kept outside their target column.

AES-SIV (RFC 5297) with keys derived per purpose. The associated data is the place of the value, so that a sealed text
opens nowhere else: not in another row, column, table or source. Equal values at one place give equal texts, which is how
a repeated run finds nothing to write. Belongs here: sealing and opening one text. Does not belong here: which values are
sealed and where they are kept (see archive, images), reading keys (remoteiq_etl.sensitive.keys), databases.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from remoteiq_etl.errors import SealBroken, SealingKeyMissing
from remoteiq_etl.sensitive.keys import SealingKeys

VERSION = "v1"
_CIPHER_BYTES = 64  # AES-256-SIV takes two keys of 256 bits
_ID_BYTES = 8

Place = tuple[str, ...]
"""Where a sealed value lies: the state table, and what tells its value there from every other."""


class _Key:
    """One key: its cipher, and the id by which a sealed text names it. The id says nothing about the key."""

    def __init__(self, key: bytes) -> None:
        self.cipher = AESSIV(_derived(key, "cipher", _CIPHER_BYTES))
        self.id = _derived(key, "id", _ID_BYTES).hex()


@dataclass(frozen=True)
class Sealer:
    """Seals and opens the values of one source. The first key seals, all open."""

    sealing_keys: SealingKeys
    source: str

    @cached_property
    def _keys(self) -> dict[str, _Key]:
        return {found.id: found for found in map(_Key, self.sealing_keys.keys)}

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of the keys, that of the sealing one first."""
        return tuple(self._keys)

    @property
    def key_id(self) -> str:
        """The id of the key that seals."""
        return self.key_ids[0]

    def seal(self, text: str, place: Place) -> str:
        """A text as a sealed one: <version>.<key id>.<base64url>."""
        key = self._keys[self.key_id]
        sealed = key.cipher.encrypt(text.encode(), [self._bound(key, place)])
        return f"{VERSION}.{key.id}.{_to_base64(sealed)}"

    def open(self, sealed: str, place: Place) -> str:
        """The text that was sealed at this place.

        Raises SealingKeyMissing without the key that sealed it, SealBroken when it was changed or sealed elsewhere.
        """
        version, key_id, content = _parts(sealed, place)
        key = self._keys.get(key_id)
        if version != VERSION or key is None:
            raise SealingKeyMissing(_missing(version, key_id, place))
        try:
            return key.cipher.decrypt(content, [self._bound(key, place)]).decode()
        except InvalidTag:
            raise SealBroken(
                f"the sealed value at {_told(place)} is not what was sealed there with the key {key_id}: it was changed, moved"
                " from another place, or belongs to another source. Restore it from a backup of the state schema."
            ) from None

    def resealed(self, sealed: str, place: Place) -> str:
        """The same value under the first key. Raises as `open` does."""
        return self.seal(self.open(sealed, place), place)

    def _bound(self, key: _Key, place: Place) -> bytes:
        """The associated data; a JSON array, so that no two places have the same."""
        return json.dumps([VERSION, key.id, self.source, *place], ensure_ascii=False).encode()


def key_ids(keys: SealingKeys) -> tuple[str, ...]:
    """The ids of the keys, that of the sealing one first. They are the same for every source."""
    return Sealer(keys, "").key_ids


def _derived(key: bytes, purpose: str, length: int) -> bytes:
    return HKDF(SHA512(), length, salt=None, info=f"remoteiq_etl sealing {VERSION} {purpose}".encode()).derive(key)


def _parts(sealed: str, place: Place) -> tuple[str, str, bytes]:
    parts = sealed.split(".")
    if len(parts) != 3:
        raise SealBroken(f"expected a sealed value at {_told(place)}, found other text. Restore it from a backup.")
    return parts[0], parts[1], _from_base64(parts[2], place)


def _missing(version: str, key_id: str, place: Place) -> str:
    if version != VERSION:
        return (
            f"the value at {_told(place)} was sealed in the form {version!r}, this program knows {VERSION!r}."
            " A newer version of the program wrote it: run that one."
        )
    return (
        f"the value at {_told(place)} was sealed with the key {key_id}, which is not among those given."
        " Add it to REMOTEIQ_SEALING_KEY, behind the first."
    )


def _told(place: Place) -> str:
    return " / ".join(place)


def _to_base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _from_base64(text: str, place: Place) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise SealBroken(f"the sealed value at {_told(place)} is damaged. Restore it from a backup.") from None
