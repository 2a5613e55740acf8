"""Identity is a function, not a sequence: the new key of a row computed from its legacy key.

Belongs here: the namespace of a source, derived keys, and the test whether a legacy uuid may be kept.
Does not belong here: looking keys up in a map, or deciding between candidates (see lookup and decisions).
"""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha1, sha256
from json.encoder import encode_basestring
from uuid import UUID, uuid5

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from remoteiq_etl.frames.dtypes import TEXT, to_arrow, uuid_text
from remoteiq_etl.frames.row_keys import key_text

# Never to change: every derived id of every migrated database depends on it.
PROJECT_NAMESPACE = UUID("0d6e7c1e-9a53-4f0b-8f0e-2b9f3a6f5c11")


#: The version that a derived id shows: the new application routes some paths by version 4 alone. Ids that a map records stay.
VERSION = 4


def source_namespace(source: str) -> UUID:
    """The namespace of all ids derived for one source."""
    return uuid5(PROJECT_NAMESPACE, source)


#: Bytes of a legacy key that the lists of the state schema hold as it is. An entry of an index holds 2,704, and a key shares it
#: with the names of two tables.
LONGEST_KEY = 2000
#: Characters that are left of a longer one, before the digest that tells it from others: at most 1,200 bytes.
BEGINNING = 300
_SHORT_FORM = re.compile(rf".{{{BEGINNING}}}…([0-9a-f]{{64}})", re.DOTALL)


def short_key(key: str) -> str:
    """A legacy key as the lists of the state schema hold it: one that no index could hold by its beginning and a digest."""
    if len(key) <= LONGEST_KEY // 4 or len(encoded := key.encode("utf-8", "surrogatepass")) <= LONGEST_KEY:
        return key
    return f"{key[:BEGINNING]}…{sha256(encoded).hexdigest()}"


def digest_of(key: str) -> str | None:
    """The digest in a key that the lists hold in its short form; None of one that they hold as it is."""
    return found[1] if (found := _SHORT_FORM.fullmatch(key)) else None


def short_keys(keys: pd.Series) -> pd.Series:
    """The same of many, nulls left as they are."""
    is_long = keys.str.len().fillna(0) > LONGEST_KEY // 4
    return keys.where(~is_long, keys[is_long].map(short_key)) if is_long.any() else keys


def derive(namespace: UUID, *parts: str) -> str:
    """The derived id of one row, as lower-case text: uuid5 of its name, but for the version that it shows."""
    return str(UUID(bytes=uuid5(namespace, key_text(parts)).bytes, version=VERSION))


def derive_many(namespace: UUID, prefix: Sequence[str], keys: Iterable[str]) -> pd.Series:
    """The derived ids of many rows whose names differ only in the last part.

    Equal to `derive(namespace, *prefix, key)` for each key; a million take under a second instead of six, because the
    digests are cut and marked (version 4, variant 10) for all rows at once.
    """
    head = sha1(namespace.bytes, usedforsecurity=False)
    head.update((key_text(prefix)[:-1] + ",").encode())
    digests = []
    for key in to_arrow(keys).to_pylist() if isinstance(keys, pd.Series) else keys:
        digest = head.copy()
        digest.update((encode_basestring(key) + "]").encode())
        digests.append(digest.digest())
    raw = np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, 20)[:, :16].copy()
    raw[:, 6] = (raw[:, 6] & 0x0F) | VERSION << 4
    raw[:, 8] = (raw[:, 8] & 0x3F) | 0x80
    return uuid_text(raw)


def may_be_kept(uuids: pd.Series) -> pd.Series:
    """Which legacy uuids the new application accepts: version 1 to 5 and variant 8, 9, a or b. Null: no."""
    text = to_arrow(uuids.astype(TEXT))
    version, variant = (pc.utf8_slice_codeunits(text, at, at + 1) for at in (14, 19))
    accepted = pc.and_(pc.is_in(version, pa.array(list("12345"))), pc.is_in(variant, pa.array(list("89ab"))))
    return pd.Series(accepted.to_numpy(zero_copy_only=False), index=uuids.index)


def kept_or_derived(namespace: UUID, entity: str, legacy_table: str, uuids: pd.Series) -> pd.Series:
    """The id of each row with a legacy uuid key: the key itself where it may be kept, else derived from it."""
    keep = may_be_kept(uuids)
    if keep.all():
        return uuids.astype(TEXT)
    ids = uuids.astype(TEXT).copy()
    ids[~keep] = derive_many(namespace, (entity, legacy_table), uuids[~keep]).to_numpy()
    return ids
