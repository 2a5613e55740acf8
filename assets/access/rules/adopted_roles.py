"""Roles that were in the target before us: they keep their own grants, and whether legacy users may be linked to them.

Belongs here: which roles are not ours, and which of them hold more than the legacy role. Not: links or grants.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from sqlalchemy import Select, select

from assets.access.rules import grants
from assets.access.rules.maps import ROLE_OF_WORD
from assets.access.rules.words import lowered
from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.frames.text import normalise, normalised
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from schemas import target

# The application gives these two every permission at each boot, whatever they held.
ALWAYS_FULL = frozenset({"owner", "admin"})
ACCEPT = "accept_adopted_roles"  # option: names of adopted roles that legacy users may be linked to

TARGET_READS: Mapping[str, Select[Any]] = {
    "target_grants": select(target.roles.c.id, target.roles.c.name, target.role_permissions.c.permission_key)
    .join(target.role_permissions, target.role_permissions.c.role_id == target.roles.c.id)
    .join(target.organizations, target.organizations.c.id == target.roles.c.organization_id)
    .add_columns(target.organizations.c.slug),
}
"""The grants of all organization roles as they are in the target now."""


def adopted_ids(context: Context) -> frozenset[str]:
    """The ids of the roles that were in the target before us."""
    found = [lookup.find(pd.Series(list(lookup.adopted), dtype=TEXT)) for lookup in _maps(context)]
    return frozenset(pd.concat(found).dropna())


def exceeding(inputs: Mapping[str, pd.DataFrame], context: Context) -> frozenset[str]:
    """Normalised names of roles not ours that hold more than the legacy role of that name and are not accepted."""
    rows = inputs["target_grants"]
    rows = rows[(rows["slug"] == context.organization_slug) & ~rows["id"].isin(_our_ids(context))]
    legacy_pairs = _legacy_pairs(inputs, context)
    pairs = zip(normalised(rows["name"]), lowered(rows["permission_key"]), strict=True)
    more = {role for role, key in pairs if (role, key) not in legacy_pairs}
    accepted = {normalise(name) for name in context.options.get(ACCEPT, ())}
    return frozenset(more - ALWAYS_FULL - accepted)


def _legacy_pairs(inputs: Mapping[str, pd.DataFrame], context: Context) -> set[tuple[str, str]]:
    held = grants.held(inputs, grants.roles_by_age(inputs))
    counting = held[~grants.outvoted(held, context)]
    return set(zip(counting["role"], counting["permission_key"], strict=True))


def _our_ids(context: Context) -> list[str]:
    return [
        new_key
        for lookup in _maps(context)
        for key, new_key in zip(lookup.keys.to_pylist(), lookup.new_keys.to_pylist(), strict=True)
        if key not in lookup.adopted and new_key not in adopted_ids(context)
    ]


def _maps(context: Context) -> tuple[Lookup, Lookup]:
    return context.lookup("roles"), context.lookup(*ROLE_OF_WORD)
