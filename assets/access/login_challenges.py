"""Login challenges: one row per legacy challenge, none of which can be answered any more.

Known faults of the data (of the edge cases): users who are gone (1 of 3) or quarantined (1 of 3).
"""

from datetime import timedelta

from assets.access.rules import owners
from remoteiq_etl.frames.times import shifted
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decide
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.spec.times import filled
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target

VALID_FOR = timedelta(minutes=10)
UNANSWERABLE = "!"  # the new application compares a hash that cannot be rebuilt; nothing hashes to this


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy challenge becomes one challenge that expires ten minutes after it was made; an adopted user gets none."""
    users = context.lookup("users")
    batch.filter(users.is_adopted(batch["user_id"]), "adopted_user")
    batch["id"] = context.kept_or_derived("login_challenges", "login_challenges", batch["id"])
    batch["user_id"] = batch.parent("user_id", users, "users")
    batch["challenge"] = UNANSWERABLE
    batch["created_at"] = filled(batch, batch["created_at"], "created_at", owners.created_at(batch, context))
    batch["expires_at"] = shifted(batch.columns["created_at"], VALID_FOR)
    return batch


SPEC = TableSpec(
    target=target.login_challenges,
    grain="one row per legacy login challenge",
    sources=(Source(legacy.login_challenges, transform),),
    decide=Decide(reads={"owners": owners.reads(legacy.login_challenges, "created_at")}, function=owners.decide),
    lookups=(("users", "users"),),
    legacy_reads=(legacy.users,),
    lineage={
        "created_at": ("users.created_at",),
        "expires_at": ("login_challenges.created_at", "users.created_at"),
    },
    rules={
        "created_at": "unchanged; a missing time is that of the user",
        "challenge": "always !, which nothing matches: the hash cannot be rebuilt",
        "expires_at": "ten minutes after the challenge was made",
        "consumed_at": "legacy did not record it",
    },
)
