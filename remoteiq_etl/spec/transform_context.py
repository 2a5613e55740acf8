"""What a transform may know besides its batch: the source, lookups, words and options.

Belongs here: that object. Does not belong here: sessions, and anything that changes during a load.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pandas as pd

from remoteiq_etl.frames import derived_ids
from remoteiq_etl.spec.lookup import NOTHING, Lookup
from remoteiq_etl.spec.run_options import CUT_OVER
from remoteiq_etl.spec.value_map import ValueMap

#: The organization of each slug: what every table of the organization reads.
ORGANIZATION = ("organizations", "derived")

EMPTY: Mapping[str, Any] = MappingProxyType({})  # no field default: Python 3.11 wants hashable ones


@dataclass(frozen=True)
class Context:
    """Everything a transform may know besides its rows. The same context and rows always give the same result."""

    #: The name of the source: all derived ids depend on it.
    source: str = "default"
    #: The slug of the one organization of this source.
    organization_slug: str = "default"
    #: The maps that the table declares, by (entity, legacy table).
    lookups: Mapping[tuple[str, str], Lookup] = field(default_factory=dict)
    #: What this table's own decide step worked out.
    prepared: Mapping[str, Any] = field(default_factory=dict)
    #: An operator's additions to value maps, by the name of the map.
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: The optional target columns that the target has.
    optional: frozenset[str] = frozenset()
    #: The labels that enum types of the target have beside the redesign's, by column.
    further_labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: The names of the time zones that the target knows, where the table declares that it needs them.
    time_zones: frozenset[str] = frozenset({"UTC"})
    #: Options of the run that a rule depends on, by name.
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def namespace(self) -> UUID:
        """The namespace of all ids derived for this source."""
        return derived_ids.source_namespace(self.source)

    @property
    def organization_id(self) -> str:
        """The id of the one organization of this source: adopted when the target had it, else derived from the slug."""
        found = self.lookup(*ORGANIZATION).find(pd.Series([self.organization_slug])).iloc[0]
        return found if isinstance(found, str) else self.derive(*ORGANIZATION, self.organization_slug)

    @property
    def cut_over_at(self) -> datetime | None:
        """When legacy was fenced for the cut-over; None before it."""
        found = self.options.get(CUT_OVER)
        return None if found is None else datetime.fromisoformat(str(found))

    def lookup(self, entity: str, legacy_table: str | None = None) -> Lookup:
        """The map of an entity for one legacy table (default: the table of the same name). Empty when nothing is mapped."""
        return self.lookups.get((entity, legacy_table or entity), NOTHING)

    def derive(self, *parts: str) -> str:
        """One derived id: identity of [target table, legacy table or "derived", key …]."""
        return derived_ids.derive(self.namespace, *parts)

    def derive_many(self, entity: str, legacy_table: str, keys: pd.Series) -> pd.Series:
        """The derived id of each legacy key."""
        derived = derived_ids.derive_many(self.namespace, (entity, legacy_table), keys)
        return pd.Series(derived.to_numpy(), index=keys.index, dtype=derived.dtype)

    def kept_or_derived(self, entity: str, legacy_table: str, uuids: pd.Series) -> pd.Series:
        """The id of each row with a legacy uuid key."""
        return derived_ids.kept_or_derived(self.namespace, entity, legacy_table, uuids)

    def extended(self, value_map: ValueMap) -> ValueMap:
        """A value map with the further labels of the target and the operator's words, which win."""
        labels = self.further_labels.get(value_map.name.partition(".")[2], ())
        return value_map.carrying(labels).extended(self.words.get(value_map.name, EMPTY))
