"""Second factors and password times: one row per migrated user.

Known faults of the data, with their share of generated secrets: lower case and spaces (7 %), a whole
otpauth URI (7 %), recovery codes in plain text (all), a stale second secret (users.totp_secret, 5 % of the users, retired);
of 5 secrets of the edge cases one cannot be read, and one is for codes of eight digits.
"""

import pandas as pd

from assets.access.rules import user_times
from assets.access.rules.totp import Secret, hashed_code, read_secret
from remoteiq_etl.frames.dtypes import TEXT, TEXT_LIST
from remoteiq_etl.frames.text import is_blank
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.column_guards import KeptWhenEdited, NeverBack, NeverEarlier
from remoteiq_etl.spec.dispositions import retired
from remoteiq_etl.spec.table import Adoption, Source, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy user becomes one row; an adopted user gets nothing from us."""
    users = context.lookup("users")
    batch.filter(users.is_adopted(batch.keys), "adopted_user")
    batch["user_id"] = batch.parent("id", users, "users", batch.keys)
    batch.carry("two_factor_enabled")
    batch["totp_secret"] = secrets(batch)
    batch["recovery_codes"] = recovery_codes(batch["two_factor_recovery_codes"])
    batch["password_changed_at"] = batch["password_updated_at"]
    batch["created_at"] = user_times.created_at(batch)
    batch["updated_at"] = user_times.updated_at(batch)
    return batch


def secrets(batch: Batch) -> pd.Series:
    """Each secret in the application's form; remarks are counted, and 2FA stays on whatever the secret looks like."""
    legacy_secrets = batch["two_factor_secret"]
    blank = is_blank(legacy_secrets)
    found = [None if empty else read_secret(text) for text, empty in zip(legacy_secrets, blank, strict=True)]
    batch.warn(blank & batch["two_factor_enabled"], "totp_missing")
    batch.warn(_flags(found, "unreadable"), "totp_unreadable")
    batch.warn(_flags(found, "unusual"), "totp_parameters")
    batch.keep(_flags(found, "unusual"), "two_factor_secret", "totp_parameters")
    return pd.Series([secret.text if secret else None for secret in found], dtype=TEXT)


def recovery_codes(lists: pd.Series) -> pd.Series:
    """The hashes of each user's recovery codes; blanks are dropped."""
    hashed = [
        [code for text in codes if text is not None and (code := hashed_code(text))]
        if isinstance(codes, list)
        else None
        for codes in lists
    ]
    return pd.Series(hashed, dtype=TEXT_LIST)


def _flags(found: list[Secret | None], name: str) -> pd.Series:
    return pd.Series([secret is not None and getattr(secret, name) for secret in found], dtype=bool)


SPEC = TableSpec(
    target=target.user_security,
    grain="one row per migrated user",
    sources=(Source(legacy.users, transform, primary=False),),
    lookups=(("users", "users"),),
    adopt=Adoption(columns=("user_id",)),
    column_guards=(
        NeverBack("two_factor_enabled", True),
        KeptWhenEdited("totp_secret"),
        KeptWhenEdited("recovery_codes"),
        NeverEarlier("password_changed_at"),
    ),
    lineage={
        "updated_at": ("users.created_at", "users.updated_at", "users.last_seen", "users.password_updated_at"),
        "created_at": ("users.created_at", "users.updated_at", "users.last_seen", "users.password_updated_at"),
        "user_id": ("users.id",),
        "totp_secret": ("users.two_factor_secret",),
        "recovery_codes": ("users.two_factor_recovery_codes",),
        "password_changed_at": ("users.password_updated_at",),
    },
    rules={
        "totp_secret": "in upper case without spaces, taken out of an otpauth URI; what cannot be read stays as it is",
        "recovery_codes": "lower-case hex of the SHA-256 of each code; hashed ones stay, blanks are dropped",
        "password_changed_at": "unchanged",
        "created_at": "unchanged; a missing time is the earliest other one",
        "updated_at": "unchanged; a missing time is the latest other one",
    },
    dispositions={
        "users.totp_secret": retired("a stale leftover: the legacy application reads two_factor_secret"),
    },
)
