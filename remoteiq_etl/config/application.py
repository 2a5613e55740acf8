"""What the new application is like: the table [application] of the configuration file.

Belongs here: which of its profiles counts, and the role that it connects with. Does not belong here: what a profile holds
(schemas.application).
"""

from typing import Annotated, Literal

from pydantic import Field, Strict

from remoteiq_etl.config.validation import Expected, SettingsTable

_Role = Annotated[str, Strict(), Field(min_length=1), Expected("the name of a role")]


class ApplicationSettings(SettingsTable):
    """`owner`: the role that is to own the tables that the application alters; None: owners stay as they are."""

    profile: Annotated[Literal["present"], Expected("present")] = "present"
    owner: _Role | None = None
