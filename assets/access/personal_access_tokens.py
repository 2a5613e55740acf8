"""Personal access tokens: one row per legacy personal token.

Known faults of the data: created_at is null (1 % of generated tokens, 1 of 4 edge cases).
"""

from assets.access.rules import owners
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.column_guards import OnceSet
from remoteiq_etl.spec.decisions import Decide
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.spec.times import earliest, filled, latest, withdrawn
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy token becomes one token; an adopted user gets none from us."""
    users = context.lookup("users")
    batch.filter(users.is_adopted(batch["user_id"]), "adopted_user")
    batch["id"] = context.kept_or_derived("personal_access_tokens", "personal_tokens", batch["id"])
    batch["user_id"] = batch.parent("user_id", users, "users")
    batch.carry("token_hash", "last_used_at", description="name")
    owned = owners.created_at(batch, context)
    batch["revoked_at"] = withdrawn(batch, "revoked_at", latest(batch["last_used_at"], batch["created_at"]), owned)
    others = (earliest(batch["last_used_at"], batch["revoked_at"]), owned)
    batch["created_at"] = filled(batch, batch["created_at"], "created_at", *others)
    return batch


SPEC = TableSpec(
    target=target.personal_access_tokens,
    grain="one row per legacy personal token",
    sources=(Source(legacy.personal_tokens, transform),),
    decide=Decide(reads={"owners": owners.reads(legacy.personal_tokens, "created_at")}, function=owners.decide),
    lookups=(("users", "users"),),
    legacy_reads=(legacy.users,),
    activity=("last_used_at",),
    column_guards=(OnceSet("revoked_at"),),
    lineage={
        "created_at": ("personal_tokens.last_used_at", "personal_tokens.revoked_at", "users.created_at"),
        "revoked_at": ("personal_tokens.last_used_at", "personal_tokens.created_at", "users.created_at"),
        "description": ("personal_tokens.name",),
    },
    rules={
        "description": "unchanged",
        "revoked_at": "unchanged; one that cannot be carried is the latest other time: a revoked token stays revoked",
        "expires_at": "legacy tokens did not expire",
        "created_at": "unchanged; a missing time is the earliest other time of the token, else that of its user",
    },
)
