"""The client and the site that a ticket names.

A ticket has both as text. Belongs here: which text it is, and the keys of the client and the site in their maps. Does
not belong here: making clients and sites (see assets.inventory).
"""

import re

import pandas as pd

from assets.inventory.rules.places import UNASSIGNED_KEY
from remoteiq_etl.frames.dtypes import BOOLEAN, TEXT, by_distinct
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.frames.text import is_blank, normalised

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_uuid(texts: pd.Series) -> pd.Series:
    """Which texts are a uuid rather than a name."""
    return by_distinct(texts, lambda text: _UUID.fullmatch(text.strip()) is not None, BOOLEAN, null=False).astype(bool)


def client_texts(tickets: pd.DataFrame) -> pd.Series:
    """The client of each ticket as written; customer_id stands in for a blank one, unless it is a uuid."""
    customer = tickets["customer_id"].mask(is_uuid(tickets["customer_id"]))
    return tickets["client"].mask(is_blank(tickets["client"]), customer)


def client_keys(tickets: pd.DataFrame) -> pd.Series:
    """The key of each ticket's client in the map of clients."""
    return normalised(client_texts(tickets))


def site_keys(clients: pd.Series, sites: pd.Series) -> pd.Series:
    """The key of each (client key, site as written) in the map of sites; null without a site."""
    named = zip(clients.fillna(UNASSIGNED_KEY), normalised(sites), strict=True)
    keys = [key_text([client, site]) if isinstance(site, str) else None for client, site in named]
    return pd.Series(keys, index=sites.index, dtype=TEXT)
