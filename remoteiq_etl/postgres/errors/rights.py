"""Which right a statement lacked, and the statement that gives it.

The server names an object, neither the right nor the role; what the role of the session lacks on it is asked for. Belongs here:
that question and its sentence. Does not belong here: which rights a migration needs (remoteiq_etl.lifecycle.drift.checkup).
"""

from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from remoteiq_etl.errors import RightMissing
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)


class RightRefused(RightMissing, psycopg.errors.InsufficientPrivilege):
    """The server's own error with a sentence: who waits for it by the driver's name goes on to do so."""


@dataclass(frozen=True)
class Lacking:
    """What a role lacks on an object. `rights` is empty where only its owner may do what was asked."""

    kind: str
    name: str
    rights: str
    role: str
    owner: str

    @property
    def sentence(self) -> str:
        """Who may not do what, and what to paste."""
        if not self.rights:
            return (
                f"only its owner {self.owner} may do that to the {self.kind} {self.name}, and {self.role} is not it."
                f" GRANT {self.owner} TO {self.role}; or connect as {self.owner}."
            )
        return (
            f"{self.role} lacks the right {self.rights} on the {self.kind} {self.name}."
            f" GRANT {self.rights} ON {self.kind.upper()} {self.name} TO {self.role};"
        )


def missing_right(conninfo: str, said: str, *, writes: bool) -> str | None:
    """What the role of a connection lacks on what the server names in a refusal; None where that cannot be told."""
    try:
        with (
            psycopg.connect(conninfo, autocommit=True) as connection,
            connection.cursor(row_factory=class_row(Lacking)) as cursor,
        ):
            parameters = {"said": said, "writes": writes, "owner": "owner of" in said}
            found = cursor.execute(SQL["lacking"].format(), parameters).fetchone()
    except psycopg.Error:
        return None
    return found.sentence if found else None
