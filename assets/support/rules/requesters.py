"""Who asked for help: the contact that a ticket's requester stands for.

Belongs here: reading an address and naming a contact. Does not belong here: choosing a contact's name (see contacts).
"""

import re

import pandas as pd

from remoteiq_etl.frames.dtypes import TEXT, by_distinct
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.frames.text import normalised

_IN_BRACKETS = re.compile(r"<([^<>]*)>")
# A question mark begins the headers of a link; in an address alone it is a letter as any other.
_CLOSING = re.compile(r"[>\s]+\Z")
_LINK = re.compile(r"mailto:\s*([^?]*)")


def address(text: str) -> str | None:
    """The address in a text such as `Name <a@b>`, `mailto:a@b?subject=x` or `a@b>`, trimmed and lower-cased.

    None without exactly one @ in it.
    """
    in_brackets = _IN_BRACKETS.findall(text)
    said = (in_brackets[-1] if in_brackets else text).strip().lower()
    link = _LINK.match(said)
    candidate = _CLOSING.sub("", link[1] if link else said)
    local, _, domain = candidate.partition("@")
    return candidate if local and domain and "@" not in domain else None


def addresses(emails: pd.Series) -> pd.Series:
    """The address of each text; each distinct text is read once."""
    return by_distinct(emails, address)


def contact_keys(tickets: pd.DataFrame) -> pd.Series:
    """The key of each ticket's contact: by address, else by normalised name; null where the requester is blank."""
    pairs = zip(addresses(tickets["requester_email"]), normalised(tickets["requester_name"]), strict=True)
    return pd.Series([_key(email, name) for email, name in pairs], index=tickets.index, dtype=TEXT)


def _key(email: object, name: object) -> str | None:
    if isinstance(email, str):
        return key_text(["email", email])
    return key_text(["name", name]) if isinstance(name, str) else None
