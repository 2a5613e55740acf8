"""DKIM keys as legacy keeps them: in the settings in use, and in a table of keys.

Belongs here: the normal form of domain, selector and key, what a key is, and which of two of one selector is carried. Does not
belong here: the rows of either table.
"""

import base64
import re
from collections.abc import Mapping

import pandas as pd
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from sqlalchemy import cast, select
from sqlalchemy.types import String

from remoteiq_etl.frames.dtypes import TEXT, by_distinct
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.spec.decisions import Decision
from schemas import legacy

SETTINGS, KEYS = legacy.dkim_settings.c, legacy.dkim_keys.c
#: The domain of each domain name, trimmed and lower-cased.
DOMAINS = ("dkim_domains", "derived")

READS = {
    "dkim_settings": select(
        cast(SETTINGS.id, String).label("id"),
        SETTINGS.domain,
        SETTINGS.selector,
        SETTINGS.private_key,
        SETTINGS.updated_at.label("created_at"),
        SETTINGS.updated_at,
    ),
    "dkim_keys": select(
        cast(KEYS.id, String).label("id"),
        KEYS.domain,
        KEYS.selector,
        KEYS.private_key,
        KEYS.created_at,
        KEYS.updated_at,
    ),
}
"""Both tables in one form. They hold a handful of rows."""

_ENCRYPTED = re.compile("-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: *4, *ENCRYPTED", re.MULTILINE)

Keys = Mapping[str, pd.DataFrame]


def domains(column: pd.Series) -> pd.Series:
    """Each domain trimmed and lower-cased; null where it is blank."""
    return by_distinct(column, lambda text: text.strip().lower() or None)


def selectors(column: pd.Series) -> pd.Series:
    """Each selector trimmed; null where it is blank."""
    return by_distinct(column, lambda text: text.strip() or None)


def repaired(column: pd.Series) -> pd.Series:
    """Each key with its literal `\\n` turned into line ends; null where it is blank."""
    return by_distinct(column, repaired_pem)


def repaired_pem(text: str) -> str | None:
    """A key with its literal `\\n` turned into line ends."""
    return text.replace("\\r\\n", "\n").replace("\\n", "\n") if text.strip() else None


def public_key(pem: str) -> str | None:
    """The base64 SubjectPublicKeyInfo of a private key; None of a key that cannot be read."""
    try:
        public = load_pem_private_key(pem.encode(), password=None).public_key()
        encoded = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return base64.b64encode(encoded).decode("ascii")


#: What a key that cannot be read says of itself: the rule that it is quarantined under → why.
UNREADABLE = {
    "encrypted_key": "a private key behind a passphrase, which the legacy database does not hold",
    "openssh_key": "a private key in the form of OpenSSH, not in PKCS#1 or PKCS#8",
    "unreadable_key": "not a private key in PEM form",
}


def unreadable(pem: str) -> str | None:
    """The rule under which a key cannot be read; None of one that can."""
    if public_key(pem) is not None:
        return None
    if "-----BEGIN OPENSSH PRIVATE KEY-----" in pem:
        return "openssh_key"
    return "encrypted_key" if _ENCRYPTED.search(pem) else "unreadable_key"


def names(rows: pd.DataFrame) -> pd.Series:
    """The name (domain, selector) of each row's key as key text; null where the row holds no whole key."""
    parts = zip(domains(rows["domain"]), selectors(rows["selector"]), repaired(rows["private_key"]), strict=True)
    named = [
        key_text([domain, selector])
        if isinstance(domain, str) and isinstance(selector, str) and isinstance(pem, str)
        else None
        for domain, selector, pem in parts
    ]
    return pd.Series(named, index=rows.index, dtype=TEXT)


def winners(inputs: Keys, recorded: Mapping[str, Decision]) -> dict[str, Decision]:
    """Of the keys of one name the one carried: that of the settings, then the latest changed, then the lowest id.

    A recorded winner stays while it is there.
    """
    ranked = [_ranked(inputs[table], table) for table in ("dkim_settings", "dkim_keys")]
    candidates: dict[str, list[tuple[str, str]]] = {}
    for name, table, key in [row for rows in ranked for row in rows]:
        candidates.setdefault(name, []).append((table, key))
    return {name: _winner(name, found, recorded.get(name)) for name, found in candidates.items()}


def _ranked(rows: pd.DataFrame, table: str) -> list[tuple[str, str, str]]:
    """(name, table, id) of the rows with a whole key, the preferred first."""
    named = rows.assign(name=names(rows), number=rows["id"].astype(int)).dropna(subset=["name"])
    ordered = named.sort_values(["updated_at", "number"], ascending=[False, True], na_position="last")
    return [(name, table, key) for name, key in zip(ordered["name"], ordered["id"], strict=True)]


def _winner(name: str, candidates: list[tuple[str, str]], recorded: Decision | None) -> Decision:
    if recorded is not None and (recorded.values["table"], recorded.values["key"]) in candidates:
        return recorded
    table, key = candidates[0]
    return Decision("winner", name, "in_use" if table == "dkim_settings" else "latest", {"table": table, "key": key})
