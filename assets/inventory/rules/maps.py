"""Names for what is decided in this domain: the (entity, legacy table) of the map that records it.

Belongs here: the names under which no legacy table lies, each with what its keys are, and reading a recorded name. Does not
belong here: how it is decided (see clients, sites and devices).
"""

import pandas as pd

from remoteiq_etl.spec.transform_context import Context

#: The client of each normalised name.
CLIENTS = ("clients", "derived")
#: The site of each normalised client and site (see places.Place.site_key).
SITES = ("sites", "derived")
#: The device of each agents.id: the one that it pairs with, else the one synthesized for it.
DEVICE_OF_AGENT = ("devices", "agents")
#: The device that each text device_id of assignments, runs and tickets means.
DEVICE_OF_TEXT = ("devices", "device_text")


def client_names(clients: pd.Series, context: Context) -> pd.Series:
    """The recorded spelling of each client, by its key."""
    return context.lookup(*CLIENTS).decided(clients, "name")


def site_names(sites: pd.Series, context: Context) -> pd.Series:
    """The recorded spelling of each site, by its key."""
    return context.lookup(*SITES).decided(sites, "name")


def client_references(clients: pd.Series, context: Context) -> pd.Series:
    """The recorded external reference of each client, by its key."""
    return context.lookup(*CLIENTS).decided(clients, "external_ref")
