"""The mapping table of an entity: legacy key ↔ new key, with the rule and hashes of what was read and written."""

import re
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.types import TypeEngine

from schemas.state.base import LEGACY_KEY, LEGACY_TABLE, SOURCE, metadata

#: The names of the maps. Of the fixed tables, that of the settings has such a name, too, and is none.
MAP_PATTERN = re.compile(r"legacy_.+_map")
IS_MAP = "map"
"""Says in a definition's info that it is the map of an entity."""
STATES = (
    "live: the row of this key; merged: leads to the row of another key; decided: nothing but a decision;"
    " deleted: the row was deleted in the target; gone: the legacy row is gone, and its target row with it;"
    " undone: an undo took the row back"
)
KEY_TYPES: dict[str, TypeEngine[Any]] = {"uuid": UUID(), "bigint": BigInteger(), "text": Text()}


def map_name(entity: str) -> str:
    """The name of the mapping table of a target table."""
    return f"legacy_{entity}_map"


def map_comment(entity: str) -> str:
    """What the catalogue says of the map of a target table."""
    return f"Legacy key to new key of {entity}: for queries see the view {view_name(entity)}"


def view_name(entity: str) -> str:
    """The name of the view over the map of a target table that other programs may rely on."""
    return f"map_{entity}"


def map_table(
    entity: str,
    *,
    legacy_key: str = "text",
    new_key: str = "uuid",
    several_sources: bool = True,
    shared_rows: bool = False,
    log_like: bool = False,
) -> Table:
    """The mapping table of one target table; one row per legacy key (and per recorded decision).

    `legacy_key` and `new_key` are uuid, bigint or text: narrow types, because log-like maps have millions of rows.
    With `several_sources` the legacy table is part of the key; else it is the same in every row. With `shared_rows` legacy
    databases may have a row in common (a permission), because its key is a natural one. A `log_like` one has millions of
    entries and few decisions or none: an index finds them.
    """
    name = map_name(entity)
    if f"state.{name}" in metadata.tables:
        return metadata.tables[f"state.{name}"]
    return Table(
        name,
        metadata,
        *_columns(KEY_TYPES[legacy_key], KEY_TYPES[new_key], several_sources=several_sources),
        *_indexes(name, shared_rows=shared_rows, log_like=log_like),
        info={IS_MAP: True},
        comment=map_comment(entity),
    )


def _columns(legacy_key: TypeEngine[Any], new_key: TypeEngine[Any], *, several_sources: bool) -> list[Column[Any]]:
    key = "primary key of the target row, of several columns a JSON array; null while only a decision is recorded"
    owner = "legacy key of the row that owns this one, where an owner's rows are replaced together"
    inserted = "run that inserted the target row; null: adopted, or an older program did"
    return [
        Column("source_id", SmallInteger, primary_key=True, comment=SOURCE),
        Column("legacy_table", Text, primary_key=several_sources, nullable=False, comment=LEGACY_TABLE),
        Column("legacy_key", legacy_key, primary_key=True, comment=LEGACY_KEY),
        Column("new_key", new_key, comment=key),
        Column("rule", Text, nullable=False, comment="kept, derived, adopted, merged, or the rule of the decision"),
        Column("state", Text, nullable=False, comment=STATES),
        Column("adopted", Boolean, nullable=False, comment="the row was in the target before us"),
        Column("owner_key", Text, comment=owner),
        Column(
            "decision", JSONB, comment="what was decided over several legacy rows, and is read from here ever after"
        ),
        Column("first_run", BigInteger, nullable=False, comment="run that made this entry"),
        Column("last_run", BigInteger, nullable=False, comment="last run that changed it"),
        Column("inserted_run", BigInteger, comment=inserted),
        Column("source_hash", LargeBinary, comment="HMAC of the legacy row"),
        Column("written_hash", LargeBinary, comment="HMAC of what was last written; null: nothing yet"),
        Column("last_written", JSONB, comment="values last written, secrets left out; null for log-like tables"),
    ]


def _indexes(name: str, *, shared_rows: bool, log_like: bool) -> list[Index]:
    unique = ("new_key", "source_id") if shared_rows else ("new_key",)
    live = text("state = 'live'")
    found = [Index(f"uq_{name}_{'_'.join(unique)}", *unique, unique=True, postgresql_where=live)]
    if log_like:
        decided = text("decision IS NOT NULL")
        found.append(Index(f"ix_{name}_decision", "source_id", postgresql_where=decided))
    return found
