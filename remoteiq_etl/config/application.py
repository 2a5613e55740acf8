"""What the new application is like: the table [application] of the configuration file.

Belongs here: which of its profiles counts, and the role that it connects with. Does not belong here: what a profile holds
(schemas.application).
"""

from typing import Annotated, Literal

from pydantic import Field, Strict, StringConstraints

from remoteiq_etl.config.validation import Expected, SettingsTable

_Key = Annotated[str, Strict(), StringConstraints(pattern=r"^[a-z0-9_.:-]+$")]
_Keys = Annotated[tuple[_Key, ...], Expected('a list of permission keys in lower case such as ["me.profile"]')]
_Role = Annotated[str, Strict(), Field(min_length=1), Expected("the name of a role")]


class ApplicationSettings(SettingsTable):
    """`owner`: the role that is to own the tables that the application alters; None: owners stay as they are.

    `granted_keys`: permissions that every migrated role is to have.
    """

    profile: Annotated[Literal["present"], Expected("present")] = "present"
    owner: _Role | None = None
    granted_keys: _Keys = ()
