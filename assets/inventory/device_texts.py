"""The text `device_id` of assignments, runs and tickets: which device it means.

It may be a devices.id, an agents.device_id, an agents.id, an agents.agent_uuid or a hostname that only one device has;
tried in that order. Belongs here: that order, and what becomes of rows whose text means none. Does not belong here: the
pairing of agents and devices (see pairing).
"""

import pandas as pd

from remoteiq_etl.backfill.batch import Batch
from remoteiq_etl.backfill.frames import TEXT
from remoteiq_etl.backfill.spec import Context

UNRESOLVABLE = "unresolvable_device"


def devices_of(batch: Batch, context: Context) -> pd.Series:
    """The id of the device that each row's text means; null where it means none, or the device is not there."""
    return context.lookup("devices", "device_text").find(batch["device_id"])


def dispose_deviceless(batch: Batch, context: Context, where: pd.Series) -> None:
    """Rows that need a device and have none: quarantined where the text means no device, else as their device is."""
    texts = context.lookup("devices", "device_text")
    text = batch["device_id"].astype(TEXT)
    batch.quarantine(where & texts.decided(text, "way").isna(), UNRESOLVABLE, "device_id")
    batch.filter(where & text.isin(list(texts.deleted)), "parent_deleted_in_target")
    batch.hold(where, "devices", text, "device_id")
