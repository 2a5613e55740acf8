"""The edge-case database after its cut-over, a program that plays the new application, and short ways to fall back and to look.

Belongs here: making it, copied for each who asks. Does not belong here: what must come of it.
"""

from pathlib import Path
from typing import Any

from psycopg import sql

from remoteiq_etl.fallback import fallback
from remoteiq_etl.fallback.model import FallBack
from schemas import target
from tests.support.cutting_over import Ready, accept_copy
from tests.support.migrating import migrated_target, specs
from tests.support.server import Database, Server

NEW_APPLICATION = (Path(__file__).parent / "new_application.sql").read_text()

Keys = dict[str, set[tuple[Any, ...]]]


def cut_over_edge_cases(server: Server, edge_template: str, home: Path) -> Ready:
    """A copy of the edge-case database and of its target, cut over."""
    if "fall_back_target" not in server.templates:
        _make(server, edge_template, home)
    found = (server.create_database(template=server.templates[f"fall_back_{side}"]) for side in ("legacy", "target"))
    ready = _ready(*found, home)
    accept_copy(ready)
    ready.query("UPDATE remoteiq_etl.cutovers SET marks = marks #- '{target,database}'")
    return ready


def _make(server: Server, edge_template: str, home: Path) -> None:
    """From a target that other tests copy, too: nobody waits for the first load."""
    legacy = server.create_database("template_fall_back_legacy", template=edge_template)
    found = migrated_target(server, legacy).target
    ready = _ready(legacy, found, home)
    ready.make_ready()
    ready.cut_over()
    server.templates |= {"fall_back_legacy": legacy.name, "fall_back_target": found.name}


def _ready(legacy: Database, found: Database, home: Path) -> Ready:
    return Ready(legacy, found, home, verifies=False, tables=tuple(specs()))


def fall_back(ready: Ready) -> FallBack:
    with ready.place() as place:
        return fallback.run(place)


def planned(ready: Ready) -> FallBack:
    with ready.place() as place:
        return fallback.plan(place)


def target_keys(ready: Ready) -> Keys:
    """The primary keys of all rows of the target."""
    found = {}
    with ready.target.connect() as connection:
        for table in target.metadata.sorted_tables:
            key = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.primary_key.columns)
            query = sql.SQL("SELECT {} FROM {}").format(key, sql.Identifier(table.name))
            found[table.name] = set(connection.execute(query).fetchall())
    return found


def in_legacy_behind_the_fence(ready: Ready, statement: str) -> None:
    """Write to legacy as somebody does whom the fence does not keep out."""
    ready.in_legacy(f"SET default_transaction_read_only = off; {statement}")
