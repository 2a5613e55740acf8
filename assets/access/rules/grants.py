"""Which legacy role holds which permission, from both tables that say so.

Belongs here: reading the grants of role_permissions and of role_meta.permissions as one frame. Does not belong here:
what becomes of them (role_permissions), or whether a role may be linked (adopted_roles).
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from sqlalchemy import Select, select

from assets.access.rules.words import lowered
from remoteiq_etl.frames.dtypes import TEXT, TIMESTAMP
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.frames.text import normalised
from remoteiq_etl.frames.times import microseconds
from remoteiq_etl.spec.batch import KEY
from remoteiq_etl.spec.run_options import ROLE_GRANTS, ROLE_META_FIRST
from remoteiq_etl.spec.times import first_of
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy

HELD_BY = "held_by"
IN_ROWS, IN_META = "role_permissions", "role_meta"
PAIR = ["role", "permission_key"]

READS: Mapping[str, Select[Any]] = {
    "roles": select(legacy.roles.c.id, legacy.roles.c.name, legacy.roles.c.created_at),
    "role_meta": select(
        legacy.role_meta.c.role_name,
        legacy.role_meta.c.permissions,
        legacy.role_meta.c.updated_at,
    ),
    "permissions": select(legacy.permissions.c.id, legacy.permissions.c.key),
    "role_permissions": select(legacy.role_permissions),
}
"""What a decide step reads to know the grants."""


def roles_by_age(inputs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per legacy role that has a name, oldest first: role_id, name, role (normalised), granted_at."""
    roles = inputs["roles"].sort_values(["created_at", "id"]).reset_index(drop=True)
    updated = dict(zip(inputs["role_meta"]["role_name"], microseconds(inputs["role_meta"]["updated_at"]), strict=True))
    table = pd.DataFrame(
        {
            "role_id": roles["id"],
            "name": roles["name"],
            "role": normalised(roles["name"]),
            "granted_at": first_of(
                pd.Series([updated.get(name) for name in roles["name"]], dtype=TIMESTAMP), roles["created_at"]
            ),
        }
    )
    return table.dropna(subset=["role"])


def held(inputs: Mapping[str, pd.DataFrame], roles: pd.DataFrame) -> pd.DataFrame:
    """One row per grant and table that holds it, oldest role first: `roles` with permission_key, held_by and KEY."""
    aged = roles.assign(age=range(len(roles)))
    both = pd.concat([_of_rows(inputs, aged), _of_meta(inputs, aged)], ignore_index=True)
    return both.sort_values(["age", KEY]).drop(columns="age").reset_index(drop=True)


def outvoted(grants: pd.DataFrame, context: Context) -> pd.Series:
    """Grants that do not count as the option role_grants is."""
    if context.options.get(ROLE_GRANTS) != ROLE_META_FIRST:
        return pd.Series(False, index=grants.index)
    return unnamed(grants)


def unnamed(grants: pd.DataFrame) -> pd.Series:
    """Grants that do not count where role_meta comes first: a role's words, where it has any, do not name them."""
    words = grants[grants[HELD_BY] == IN_META]
    named = set(zip(words["role_id"], words["permission_key"], strict=True))
    pairs = zip(grants["role_id"], grants["permission_key"], strict=True)
    return grants["role_id"].isin(words["role_id"]) & pd.Series([pair not in named for pair in pairs], dtype=bool)


def _of_rows(inputs: Mapping[str, pd.DataFrame], roles: pd.DataFrame) -> pd.DataFrame:
    rows = inputs["role_permissions"]
    keys = [
        key_text([role, permission]) for role, permission in zip(rows["role_id"], rows["permission_id"], strict=True)
    ]
    permissions = inputs["permissions"].assign(permission_key=lowered(inputs["permissions"]["key"]))
    found = rows.assign(held_by=IN_ROWS, **{KEY: pd.Series(keys, index=rows.index, dtype=TEXT)}).merge(
        roles, on="role_id"
    )
    found = found.merge(permissions, left_on="permission_id", right_on="id")
    return found[[*roles.columns, "permission_key", HELD_BY, KEY]].dropna(subset=["permission_key"])


def _of_meta(inputs: Mapping[str, pd.DataFrame], roles: pd.DataFrame) -> pd.DataFrame:
    words = inputs["role_meta"][["role_name", "permissions"]].explode("permissions")
    words = words.assign(permission_key=lowered(words["permissions"])).dropna(subset=["permission_key"])
    found = words.drop_duplicates(["role_name", "permission_key"]).merge(roles, left_on="role_name", right_on="name")
    keys = [key_text([role, word]) for role, word in zip(found["role"], found["permission_key"], strict=True)]
    found = found.assign(held_by=IN_META, **{KEY: pd.Series(keys, index=found.index, dtype=TEXT)})
    return found[[*roles.columns, "permission_key", HELD_BY, KEY]]
