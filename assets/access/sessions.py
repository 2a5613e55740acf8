"""Sessions: one row per legacy session, found by its jti in the new application.

A missing row lets a revoked cookie in, so that no session may be lost. Known faults of the data, with their share of
generated sessions: a stale duplicate of last_seen_at (nearly all differ), jtis that are no uuid (2 %), jtis that are equal
but for case (1 %), missing times (1 %); in databases older than the column a null jti (1 of 9 edge cases).
"""

import re
from collections.abc import Mapping

import pandas as pd
from sqlalchemy import func, select

from assets.access.rules import owners
from assets.shared.winners import GROUP, Winners, decide_winners, winners_of
from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.column_guards import OnceSet
from remoteiq_etl.spec.decisions import TAKES_ROW_OF, Decide, Decided, Decision, StoredDecisions
from remoteiq_etl.spec.dispositions import superseded
from remoteiq_etl.spec.table import NOW, OnDelete, Revocation, Source, TableSpec
from remoteiq_etl.spec.times import earliest, filled, latest, withdrawn
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target

STANDS, GIVES_WAY = "revoked_wins", "equal_jti"
# What PostgreSQL reads as a uuid: the application casts the jti of a cookie to one.
_UUID = re.compile("[0-9a-f]{4}(-?[0-9a-f]{4}){7}", re.IGNORECASE)
_BARE = func.replace(func.lower(legacy.sessions.c.jti), "-", "")
_SEVERAL = select(_BARE).group_by(_BARE).having(func.count() > 1)


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Of sessions with one uuid the revoked one wins, then the oldest.

    Who won is recorded by the sessions' keys, because the jti that they share is a secret, and holds for one run: a session
    that is revoked later has to win then.
    """
    sessions = inputs["sessions"]
    rows = sessions.assign(
        **{KEY: sessions["id"], GROUP: uuids(sessions["jti"])}, active=~sessions["revoked"].astype(bool)
    ).sort_values(["active", "created_at", "id"])
    found = decide_winners(rows, StoredDecisions(), "sessions.jti", "revoked_wins")
    return Decided(
        decisions=standing(found, recorded), prepared={"losers": found.losers, **owners.prepared(inputs["owners"])}
    )


def standing(found: Winners, recorded: StoredDecisions) -> list[Decision]:
    """Which session of several stands, and which give way; one that stands now has the row of the one that did before."""
    earlier = recorded.of("sessions")
    decisions = []
    for winner in found.winner.values():
        others = [loser for loser, one in found.losers.items() if one == winner]
        former = [key for key in others if key in earlier and earlier[key].rule == STANDS]
        known = earlier.get(winner)
        if known is None or known.rule != STANDS:
            known = Decision("sessions", winner, STANDS, {TAKES_ROW_OF: ["sessions", *former]} if former else {})
        decisions += [known, *(Decision("sessions", key, GIVES_WAY, {"to": winner}) for key in others)]
    return decisions


def uuids(jtis: pd.Series) -> pd.Series:
    """The uuid that each jti is, in lower case; null where it is none."""
    return pd.Series([_uuid(jti) if _UUID.fullmatch(jti) else None for jti in jtis], index=jtis.index, dtype=TEXT)


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy session becomes one session under its jti; of an adopted user's only the revoked ones do."""
    users = context.lookup("users")
    winners = winners_of(batch, context.prepared["losers"])
    batch.merge(winners.notna(), GIVES_WAY, into=winners)
    owned = owners.created_at(batch, context)
    revoked = withdrawn(batch, "revoked_at", _latest_known(batch), owned)
    batch.filter(users.is_adopted(batch["user_id"]) & revoked.isna(), "adopted_user")
    batch["id"] = uuids(batch["jti"]).fillna(context.derive_many("sessions", "sessions", batch.keys))
    batch["user_id"] = batch.parent("user_id", users, "users")
    batch["refresh_token"] = batch["jti"]
    batch.carry("user_agent", "trusted", ip_address="ip")
    batch["revoked_at"] = revoked
    _times(batch, owned)
    return batch


def _latest_known(batch: Batch) -> pd.Series:
    return latest(batch["last_seen_at"], batch["last_seen"], batch["created_at"])


def _times(batch: Batch, owned: pd.Series) -> None:
    seen, created, stale = batch["last_seen_at"], batch["created_at"], batch["last_seen"]
    batch.keep(stale != seen, "last_seen", "superseded")
    batch["created_at"] = filled(batch, created, "created_at", earliest(seen, stale, batch["revoked_at"]), owned)
    batch["last_seen_at"] = filled(batch, seen, "last_seen_at", latest(stale, created, batch["revoked_at"]), owned)


def _uuid(jti: str) -> str:
    bare = jti.replace("-", "").lower()
    return "-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:]))


SPEC = TableSpec(
    target=target.sessions,
    grain="one row per legacy session",
    sources=(Source(legacy.sessions, transform),),
    decide=Decide(
        reads={
            "sessions": select(
                legacy.sessions.c.id,
                legacy.sessions.c.jti,
                legacy.sessions.c.revoked_at.is_not(None).label("revoked"),
                legacy.sessions.c.created_at,
            ).where(_BARE.in_(_SEVERAL)),
            "owners": owners.reads(legacy.sessions, "created_at", "last_seen_at"),
        },
        function=decide,
    ),
    lookups=(("users", "users"),),
    legacy_reads=(legacy.users,),
    activity=("last_seen_at",),
    # Never deleted: the application lets a cookie in whose session it does not find.
    on_delete=OnDelete((Revocation(sets={"revoked_at": NOW}),)),
    column_guards=(OnceSet("revoked_at"),),
    returns_with="revoked_at",
    moving_key=True,  # a rotated jti: the application finds a session by it
    lineage={
        "last_seen_at": ("sessions.last_seen", "sessions.created_at", "sessions.revoked_at", "users.created_at"),
        "created_at": ("sessions.last_seen_at", "sessions.last_seen", "sessions.revoked_at", "users.created_at"),
        "revoked_at": ("sessions.last_seen_at", "sessions.last_seen", "sessions.created_at", "users.created_at"),
        "id": ("sessions.jti",),
        "refresh_token": ("sessions.jti",),
        "ip_address": ("sessions.ip",),
    },
    rules={
        "id": "the jti where it is a uuid of any version, because the application finds a session by it; else derived",
        "refresh_token": "the jti",
        "ip_address": "unchanged",
        "revoked_at": "unchanged; one that cannot be carried is the latest other time: a revoked session stays revoked",
        "created_at": "unchanged; a missing time is the earliest other one, else that of its user",
        "last_seen_at": "unchanged; a missing time is the latest other one, else that of its user",
    },
    dispositions={
        "sessions.last_seen": superseded("a stale duplicate of last_seen_at"),
    },
)
