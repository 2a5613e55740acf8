"""Column shapes, types and checks that recur in the table definitions of both schemas.

Belongs here: functions that return one fresh column, constraint or `info` mapping. Does not belong here: tables,
enums, and anything that knows a particular table other than `organizations` and `users`, to which a third of all
target tables refer.
"""

from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, func
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID

TIMESTAMPTZ = TIMESTAMP(timezone=True)

NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "idx_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
"""How keys, indexes and checks are named. Nothing may rely on it in a database that somebody else created."""


def secret() -> dict[str, Any]:
    """Return the `info` of a column whose values never appear in clear outside their own table."""
    return {"secret": True}


def not_written() -> dict[str, Any]:
    """Return the `info` of a target table that has no legacy source and no seed: this program never writes it."""
    return {"written": False}


def accepted(*types: str) -> dict[str, Any]:
    """Return the `info` of a column that installations may have as one of these types, whose values a run takes just as well."""
    return {"accepted": types}


def uuid_key() -> Column[Any]:
    """Return the primary key `id`, a uuid that the database makes up when none is given."""
    return Column("id", UUID, primary_key=True, server_default=func.gen_random_uuid())


def time_of(name: str) -> Column[Any]:
    """Return a NOT NULL point in time with time zone, the time of the insert when none is given."""
    return Column(name, TIMESTAMPTZ, nullable=False, server_default=func.now())


def created_at() -> Column[Any]:
    """Return the NOT NULL column `created_at`."""
    return time_of("created_at")


def updated_at() -> Column[Any]:
    """Return the NOT NULL column `updated_at`. On the target a trigger sets it at every update."""
    return time_of("updated_at")


def parent(name: str, key: str, *, primary_key: bool = False) -> Column[Any]:
    """Return a NOT NULL uuid that refers to `key` ("table.column") and goes when the referred row goes."""
    return Column(name, UUID, ForeignKey(key, ondelete="CASCADE"), primary_key=primary_key, nullable=False)


def link(name: str, key: str) -> Column[Any]:
    """Return a nullable uuid that refers to `key` ("table.column") and is cleared when the referred row goes."""
    return Column(name, UUID, ForeignKey(key, ondelete="SET NULL"))


def organization() -> Column[Any]:
    """Return the owner of a row: the NOT NULL column `organization_id`."""
    return parent("organization_id", "organizations.id")


def user_link(name: str) -> Column[Any]:
    """Return the nullable user who did something to a row."""
    return link(name, "users.id")


def one_of(column: str, *words: str) -> CheckConstraint:
    """Return a check that a text column holds one of the words, spelled as PostgreSQL prints it.

    The drift report compares this text with the catalogue's, which knows no IN.
    """
    array = ", ".join(f"'{word}'::text" for word in words)
    return CheckConstraint(f"{column} = ANY (ARRAY[{array}])", name=column)


def between(column: str, low: int, high: int) -> CheckConstraint:
    """Return a check that a number lies in a closed range, spelled as PostgreSQL prints it."""
    return CheckConstraint(f"{column} >= {low} AND {column} <= {high}", name=column)
