"""Which mail channel a purpose means.

Only `email_settings.purpose` is an enum; elsewhere a purpose is free text. Belongs here: the keys of channels, and
finding the channel of a purpose. Does not belong here: making channels (see email_channels).
"""

from collections.abc import Mapping

import pandas as pd

from remoteiq_etl.frames.dtypes import by_distinct
from remoteiq_etl.frames.text import normalise
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context

NAMES: Mapping[str, str] = {
    "alerts": "Alerts",
    "invites": "Invites",
    "password_resets": "Password resets",
    "reports": "Reports",
}
"""The four purposes of email_settings and the names of their channels."""

_PURPOSE_OF_NAME = {normalise(name): purpose for purpose, name in NAMES.items()}

#: The channel that each purpose means, by its key.
CHANNEL_OF_PURPOSE = ("email_channels", "purpose")
PURPOSES = (CHANNEL_OF_PURPOSE,)
"""The map that finding a channel needs."""


def purpose_key(purpose: str) -> str | None:
    """The key of a purpose: normalised; the name of one of the four channels means its purpose."""
    key = normalise(purpose)
    return _PURPOSE_OF_NAME.get(key, key)


def purpose_keys(purposes: pd.Series) -> pd.Series:
    """The key of each purpose; null where it is blank."""
    return by_distinct(purposes, purpose_key)


def lookup(context: Context) -> Lookup:
    """The channel of each purpose key."""
    return context.lookup(*CHANNEL_OF_PURPOSE)


def channel(batch: Batch, context: Context, column: str = "purpose") -> pd.Series:
    """The channel of each row's purpose; a row needs one."""
    return batch.parent(column, lookup(context), "email_channels", purpose_keys(batch[column]))
