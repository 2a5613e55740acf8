"""How far each mailbox was read: one row per channel that has a state or ingested mail.

Known faults of the data: the legacy reader never advanced last_uid (0 in 2 of 3 generated states), so the mail that it took in
knows better; of the 5 states of the edge cases 2 are of one purpose in two spellings.
"""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import func, select

from assets.email.rules import channels
from remoteiq_etl.frames.dtypes import INTEGER, TIMESTAMP, if_else
from remoteiq_etl.spec import times
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.table import Adoption, Derived, Source, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target

COLUMNS = ["last_uid", "state_at", "ingested_at"]


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """The greatest uid and the latest times of each channel, over whole tables; what the target knows by channel."""
    known = pd.concat([inputs["state"], inputs["ingested"]], ignore_index=True)
    known = known.astype({"last_uid": INTEGER, "state_at": TIMESTAMP, "ingested_at": TIMESTAMP})
    known[KEY] = channels.purpose_keys(known["purpose"])
    rows = known.dropna(subset=[KEY]).groupby(KEY)[COLUMNS].max().reset_index()
    return Decided(rows={"derived": rows}, prepared={"target": inputs["target_state"].set_index("channel_id")})


def transform(batch: Batch, context: Context) -> Batch:
    """One row per channel. Neither the uid nor the time goes below what the target has."""
    channel = batch.parent(KEY, channels.lookup(context), "email_channels")
    there = context.prepared["target"].reindex(channel).reset_index(drop=True)
    synced = times.latest(batch["state_at"], batch["ingested_at"])
    batch["channel_id"] = channel
    uid, uid_there = batch["last_uid"], there["last_uid"].astype(INTEGER)
    batch["last_uid"] = if_else(uid_there.gt(uid) | uid.isna(), uid_there, uid)
    batch["last_synced_at"] = times.latest(synced, there["last_synced_at"])
    batch["updated_at"] = times.first_of(batch["state_at"], synced)
    return batch


def transform_state(batch: Batch, context: Context) -> Batch:
    """Each legacy state is merged into that of its channel, together with the mail taken in."""
    batch.quarantine(channels.purpose_keys(batch["purpose"]).isna(), "blank_purpose", "purpose")
    batch.merge(batch.is_open(), "state_of_channel")
    return batch


STATE, INGESTED, WRITTEN = legacy.imap_state.c, legacy.imap_ingested.c, target.email_ingest_state.c

SPEC = TableSpec(
    target=target.email_ingest_state,
    grain="one row per channel whose mailbox was read",
    sources=(Derived(transform), Source(legacy.imap_state, transform_state)),
    decide=Decide(
        reads={
            "state": select(STATE.purpose, STATE.last_uid, STATE.updated_at.label("state_at")),
            "ingested": select(
                INGESTED.purpose,
                func.max(INGESTED.uid).label("last_uid"),
                func.max(INGESTED.created_at).filter(times.carried(INGESTED.created_at)).label("ingested_at"),
            ).group_by(INGESTED.purpose),
        },
        target_reads={"target_state": select(WRITTEN.channel_id, WRITTEN.last_uid, WRITTEN.last_synced_at)},
        function=decide,
    ),
    lookups=channels.PURPOSES,
    legacy_reads=(legacy.imap_ingested,),
    adopt=Adoption(columns=("channel_id",)),
    # The first of them tells which side is ahead: a mailbox is never read again from below.
    activity=("last_uid", "last_synced_at"),
    lineage={
        "channel_id": ("imap_state.purpose", "imap_ingested.purpose"),
        "last_uid": ("imap_state.last_uid", "imap_ingested.uid"),
        "last_synced_at": ("imap_state.updated_at", "imap_ingested.created_at"),
        "updated_at": ("imap_state.updated_at", "imap_ingested.created_at"),
    },
    rules={
        "channel_id": "the channel of this purpose",
        "last_uid": "the greatest of the target's, the state's and the ingested mails'; it never goes down",
        "last_synced_at": "the latest of the target's, the state's and the ingested mails' times",
        "updated_at": "when the state was changed, else when the last mail was taken in",
    },
)
