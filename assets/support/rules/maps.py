"""Names for what is decided in this domain: the (entity, legacy table) of the map that records it.

Belongs here: the names under which no legacy table lies, each with what its keys are, and reading what is recorded there.
Does not belong here: how it is decided (see contacts and ticket_numbers).
"""

import pandas as pd

from remoteiq_etl.spec.transform_context import Context

#: The contact of each address or name (see requesters).
CONTACT_OF_KEY = ("contacts", "derived")
#: The ticket that each legacy number means in a subject.
TICKET_OF_NUMBER = ("tickets", "number")


def contact_names(contacts: pd.Series, context: Context) -> pd.Series:
    """The recorded name of each contact, by its key."""
    return context.lookup(*CONTACT_OF_KEY).decided(contacts, "name")


def given_numbers(tickets: pd.Series, context: Context) -> pd.Series:
    """The number that each ticket was given in the new system, as text."""
    return context.lookup("tickets").decided(tickets, "ticket_number")


def former_numbers(tickets: pd.Series, context: Context) -> pd.Series:
    """The legacy number that each ticket had when it was given one, as text."""
    return context.lookup("tickets").decided(tickets, "legacy_number")
