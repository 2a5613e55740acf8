"""Users: one row per legacy user.

Steps: of accounts with one address the best keeps it and the others are quarantined; a name is split at its last word; the
status follows from two columns. Known faults of the data, with their share of generated users: addresses that differ in
case or white space alone (2.5 %), missing passwords (4 %), one column for the whole name, and two columns that say whether
a user is suspended (3 % by the flag, 4 % by the word).
"""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import func, select

from assets.access.rules import user_times
from assets.access.rules.words import lowered
from assets.shared.optional import carry_optional
from assets.shared.winners import GROUP, decide_winners
from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.frames.text import is_blank
from remoteiq_etl.frames.times import microseconds
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.column_guards import KeptWhenNewer, NeverBack
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.table import CHANGED_AT, NOW, Adoption, OnDelete, Revocation, Source, TableSpec
from remoteiq_etl.spec.times import carried, latest
from remoteiq_etl.spec.transform_context import ORGANIZATION, Context
from remoteiq_etl.spec.value_map import ValueMap
from schemas import legacy, target
from schemas.target.optional import OPTIONAL_COLUMNS

STATUS = ValueMap("users.status", {"active": "active", "invited": "invited", "suspended": "disabled"})
DISABLED = "disabled"
RANKS = {"active": 0, "invited": 1, DISABLED: 2}  # a word without a label comes last: its row is quarantined
_SEEN = func.max(legacy.sessions.c.last_seen_at).filter(carried(legacy.sessions.c.last_seen_at))
UNUSABLE = "!"  # no bcrypt hash: no password compares equal to it


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Of accounts with one address the best keeps it."""
    rows = best_first(inputs["users"], inputs["sessions"], context.extended(STATUS))
    found = decide_winners(rows, recorded, "users.email", "best_account")
    return Decided(decisions=found.decisions, prepared={"losers": frozenset(found.losers)}, warnings=found.warnings)


def best_first(users: pd.DataFrame, sessions: pd.DataFrame, statuses: ValueMap) -> pd.DataFrame:
    """Accounts in order: active, invited, suspended; with a password; last seen; oldest; lowest id."""
    seen = dict(zip(sessions["user_id"], microseconds(sessions["last_seen_at"]), strict=True))
    labels = statuses.apply(users["status"])
    labels = labels.mask(users["suspended"].fillna(False) & labels.notna(), DISABLED)
    ranked = users.assign(
        **{KEY: users["id"], GROUP: lowered(users["email"])},
        has_password=~is_blank(users["password_hash"]),
        rank=[RANKS.get(label, len(RANKS)) for label in labels],
        seen=latest(
            users["last_seen"], pd.Series([seen.get(key) for key in users["id"]], dtype=users["last_seen"].dtype)
        ),
    )
    order = {"rank": True, "has_password": False, "seen": False, "created_at": True, "id": True}
    return ranked.sort_values(list(order), ascending=list(order.values()), na_position="last")


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy user becomes one user; of several with one address all but the winner are quarantined."""
    batch["id"] = context.kept_or_derived("users", "users", batch["id"])
    batch["organization_id"] = context.organization_id
    _email(batch, context)
    batch["password_hash"] = batch["password_hash"].mask(is_blank(batch["password_hash"]), UNUSABLE)
    batch[CHANGED_AT] = batch["password_updated_at"]
    batch["first_name"], batch["last_name"] = split_names(batch["name"])
    batch["status"] = statuses(batch, context)
    batch.carry(last_seen_at="last_seen")
    batch["created_at"] = user_times.created_at(batch)
    batch["updated_at"] = user_times.updated_at(batch)
    carry_optional(batch, context, {name: batch[name] for name in OPTIONAL_COLUMNS["users"]})
    return batch


def _email(batch: Batch, context: Context) -> None:
    emails = lowered(batch["email"])
    batch.quarantine(emails.isna(), "blank_email", "email")
    lost = batch.keys.isin(list(context.prepared["losers"]))
    batch.quarantine(lost, "duplicate_email", "email", detail="another account has this address and keeps it")
    batch.keep(emails != batch["email"], "email", "normalised")
    batch["email"] = emails


def statuses(batch: Batch, context: Context) -> pd.Series:
    """The label of each status; the suspended flag disables, and the status that it hides is archived, and that it is not set."""
    labels = batch.words_of("status", context.extended(STATUS))
    flagged = batch["suspended"].fillna(False).astype(bool)
    batch.keep(flagged & (labels != DISABLED), "status", "suspended_flag")
    batch.keep(~flagged & (labels == DISABLED), "suspended", "suspended_flag")
    return labels.mask(flagged, DISABLED)


def split_names(names: pd.Series) -> tuple[pd.Series, pd.Series]:
    """First and last names: the last word is the last name, a single word the first name."""
    words = [[] if pd.isna(name) else name.strip().rsplit(None, 1) for name in names]
    first = pd.Series([found[0] if found else None for found in words], dtype=TEXT)
    last = pd.Series([found[1] if len(found) > 1 else None for found in words], dtype=TEXT)
    return first, last


SPEC = TableSpec(
    target=target.users,
    grain="one row per legacy user",
    sources=(Source(legacy.users, transform),),
    decide=Decide(
        reads={
            "users": select(
                legacy.users.c.id,
                legacy.users.c.email,
                legacy.users.c.status,
                legacy.users.c.suspended,
                legacy.users.c.password_hash,
                legacy.users.c.last_seen,
                legacy.users.c.created_at,
            ),
            "sessions": select(
                legacy.sessions.c.user_id,
                _SEEN.label("last_seen_at"),
            ).group_by(legacy.sessions.c.user_id),
        },
        function=decide,
    ),
    lookups=(ORGANIZATION, ("users", "users")),
    legacy_reads=(legacy.sessions,),
    adopt=Adoption(columns=("organization_id", "email"), never_filled=("password_hash", "status")),
    activity=("last_seen_at",),
    on_delete=OnDelete(
        (
            Revocation(sets={"status": DISABLED}),
            Revocation("sessions", "user_id", {"revoked_at": NOW}),
            Revocation("personal_access_tokens", "user_id", {"revoked_at": NOW}),
            Revocation("trusted_devices", "user_id"),
        ),
        always=True,
    ),
    column_guards=(
        NeverBack("status", DISABLED),
        KeptWhenNewer("password_hash", "user_security", "user_id", "password_changed_at"),
    ),
    value_maps=(STATUS,),
    lineage={
        "updated_at": ("users.created_at", "users.updated_at", "users.last_seen", "users.password_updated_at"),
        "created_at": ("users.created_at", "users.updated_at", "users.last_seen", "users.password_updated_at"),
        "first_name": ("users.name",),
        "last_name": ("users.name",),
        "status": ("users.status", "users.suspended"),
        "last_seen_at": ("users.last_seen",),
    },
    rules={
        "email": "trimmed and lower-cased; of accounts that are equal then the best keeps the address, the others are quarantined",
        "password_hash": "unchanged; ! where there is none, which no password compares equal to",
        "first_name": "all words but the last; a single word is the first name",
        "last_name": "the last word of several",
        "status": "by the words of users.status; the suspended flag disables",
        "last_seen_at": "unchanged",
        "created_at": "unchanged; a missing time is the earliest other one",
        "updated_at": "unchanged; a missing time is the latest other one",
    },
)
