"""Entries of the maps, found by either of their keys.

Belongs here: the search over all maps, whatever the types of their keys. Does not belong here: what an entry means.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from psycopg import sql

from remoteiq_etl.lifecycle.explain.model import MappedKey
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.schema import State
from schemas.state.maps import map_name

SQL = statements(__file__)

_CASTS: Mapping[str, Callable[[str], Any]] = {"uuid": UUID, "bigint": int, "text": str}


@dataclass(frozen=True)
class ExplainedEntries:
    """The entries of all maps of one source."""

    session: Session
    state: State
    source_id: int

    @cached_property
    def entities(self) -> Mapping[str, Mapping[str, str]]:
        """The target tables that have a map, with the types of its two keys."""
        names = {map_name(entity): entity for entity in self.state.entities(self.session)}
        found: dict[str, dict[str, str]] = {entity: {} for entity in sorted(names.values())}
        for table, column, kind in self.session.rows(SQL["key_types"], {"schema": self.state.schema}):
            if table in names:
                found[names[table]][column] = kind
        return found

    def of_legacy(
        self, key: str, legacy_table: str | None = None, entities: Iterable[str] | None = None
    ) -> list[MappedKey]:
        """The entries of one legacy key, of one legacy table if it is named, by target table."""
        return self._find("legacy_key", key, legacy_table, entities)

    def of_new(self, key: str, entities: Iterable[str] | None = None) -> list[MappedKey]:
        """The entries that lead to one target key."""
        return self._find("new_key", key, None, entities)

    def only_row(self, entity: str) -> str | None:
        """The key of the one row that a target table has of this source; None where there are more or none."""
        if entity not in self.entities:
            return None
        query = sql.SQL("SELECT DISTINCT new_key::text FROM {} WHERE source_id = %s AND state = 'live' LIMIT 2")
        found = self.session.rows(query.format(self.state.name(map_name(entity))), [self.source_id])
        return str(found[0][0]) if len(found) == 1 else None

    def has_legacy_table(self, name: str) -> bool:
        """Whether any map has entries under this name of a legacy table."""
        query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE source_id = %s AND legacy_table = %s)")
        return any(
            self.session.value(query.format(self.state.name(map_name(entity))), [self.source_id, name])
            for entity in self.entities
        )

    def _find(self, column: str, key: str, legacy_table: str | None, entities: Iterable[str] | None) -> list[MappedKey]:
        chosen = self.entities if entities is None else [entity for entity in entities if entity in self.entities]
        return [entry for entity in chosen for entry in self._of(entity, column, key, legacy_table)]

    def _of(self, entity: str, column: str, key: str, legacy_table: str | None) -> list[MappedKey]:
        kind = self.entities[entity][column]
        if not is_of_type(key, kind):
            return []
        query = SQL["entries"].format(
            entity=sql.Literal(entity),
            map=self.state.name(map_name(entity)),
            column=sql.Identifier("m", column),
            kind=sql.SQL(kind),
        )
        parameters = {"source_id": self.source_id, "key": key, "legacy_table": legacy_table}
        return self.session.objects(MappedKey, query, parameters)


def is_of_type(key: str, kind: str) -> bool:
    """Whether a text is a value of one of the types that keys of maps have."""
    try:
        value = _CASTS.get(kind, str)(key)
    except ValueError:
        return False
    return not isinstance(value, int) or -(2**63) <= value < 2**63
