"""Identity is a function, not a sequence: the new key of a row computed from its legacy key.

Belongs here: the namespace of a source, derived keys, and the test whether a legacy uuid may be kept.
Does not belong here: looking keys up in a map, or deciding between candidates (see lookup and decisions).
"""

import json
from collections.abc import Iterable, Sequence
from hashlib import sha1
from uuid import UUID, uuid5

import numpy as np
import pandas as pd

from remoteiq_etl.backfill.frames import TEXT, uuid_bytes, uuid_text

# Never to change: every derived id of every migrated database depends on it.
PROJECT_NAMESPACE = UUID("0d6e7c1e-9a53-4f0b-8f0e-2b9f3a6f5c11")


def source_namespace(source: str) -> UUID:
    """The namespace of all ids derived for one source."""
    return uuid5(PROJECT_NAMESPACE, source)


def key_text(parts: Sequence[str]) -> str:
    """The JSON array text that names a row: [target table, legacy table, legacy key, …]."""
    return json.dumps(list(parts), ensure_ascii=False, separators=(",", ":"))


def derive(namespace: UUID, *parts: str) -> str:
    """The derived id of one row, as lower-case text."""
    return str(uuid5(namespace, key_text(parts)))


def derive_many(namespace: UUID, prefix: Sequence[str], keys: Iterable[str]) -> pd.Series:
    """The derived ids of many rows whose names differ only in the last part.

    Equal to `derive(namespace, *prefix, key)` for each key; a million take about two seconds instead of six, because the
    digests are cut and marked (version 5, variant 10) for all rows at once.
    """
    head = sha1(namespace.bytes, usedforsecurity=False)
    head.update((key_text(prefix)[:-1] + ",").encode())
    digests = []
    for key in keys:
        digest = head.copy()
        digest.update((json.dumps(key, ensure_ascii=False) + "]").encode())
        digests.append(digest.digest()[:16])
    raw = np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, 16).copy()
    raw[:, 6] = (raw[:, 6] & 0x0F) | 0x50
    raw[:, 8] = (raw[:, 8] & 0x3F) | 0x80
    return uuid_text(raw)


def may_be_kept(uuids: pd.Series) -> pd.Series:
    """Which legacy uuids the new application accepts: version 1 to 5 and variant 8, 9, a or b. Null: no."""
    present = uuids.notna().to_numpy(dtype=bool)
    accepted = np.zeros(len(uuids), dtype=bool)
    if present.any():
        raw = uuid_bytes(uuids[present])
        version = raw[:, 6] >> 4
        accepted[present] = (version >= 1) & (version <= 5) & (raw[:, 8] >> 6 == 2)
    return pd.Series(accepted, index=uuids.index)


def kept_or_derived(namespace: UUID, entity: str, legacy_table: str, uuids: pd.Series) -> pd.Series:
    """The id of each row with a legacy uuid key: the key itself where it may be kept, else derived from it."""
    keep = may_be_kept(uuids)
    if keep.all():
        return uuids.astype(TEXT)
    ids = uuids.astype(TEXT).copy()
    ids[~keep] = derive_many(namespace, (entity, legacy_table), uuids[~keep]).to_numpy()
    return ids
