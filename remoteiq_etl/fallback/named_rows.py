"""Clients, sites and contacts: legacy has their names alone, so a map knows each by its name.

Belongs here: keys of those that the new application made or named otherwise, so that a run which reads the name in legacy finds the
same row. Does not belong here: rows that legacy has a key for (see entries).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql
from psycopg.types.json import Jsonb

from remoteiq_etl.backfill.outcomes import movements
from remoteiq_etl.backfill.source.ages import is_newer
from remoteiq_etl.fallback.entries import Entries
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.frames.text import normalise
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.maps import map_of

SQL = statements(__file__)


@dataclass(frozen=True)
class NamedRow:
    """A row of the target with the key that its map has (`former`), and the one that follows from its name (`key`)."""

    new_key: str
    former: str | None
    key: str
    name: str


def follow(entries: Entries, horizon: int) -> None:
    """Let the names that these rows have now lead to them. `horizon`: of the target. Needs no transaction around it."""
    for table in ("clients", "sites", "contacts"):
        with entries.session.transaction():
            for row in list(_rows(entries, table, horizon)):
                if row.former != row.key:
                    _lead(entries, table, row)


def _rows(entries: Entries, table: str, horizon: int) -> Iterator[NamedRow]:
    place = entries.views.place
    statement = SQL[table].format(
        target=sql.Identifier(place.target),
        state=sql.Identifier(place.state),
        source_id=sql.Literal(place.source_id),
        organization=sql.SQL("{}::uuid").format(sql.Literal(place.organization)),
        newer=is_newer(sql.SQL("t.xmin"), horizon),
        newer_client=is_newer(sql.SQL("o.xmin"), horizon),
    )
    for new_key, former, name, *more in entries.session.rows(statement):
        key = _key(table, name, more[0] if more else None)
        if key is not None:
            yield NamedRow(new_key, former, key, name)


def _key(table: str, name: str, more: str | None) -> str | None:
    """The key of a row; None for one without a name. `more`: of a site the key of its client, of a contact its address."""
    plain = normalise(name)
    if table == "clients" or plain is None:
        return plain
    if table == "sites":
        return key_text([str(more), plain])
    address = normalise(more)
    return key_text(["name", plain] if address is None else ["email", address])


def _lead(entries: Entries, table: str, row: NamedRow) -> None:
    spec = entries.specs[table]
    names = {
        **entries.state.names,
        "map": entries.state.name(map_of(spec).name),
        "map_key": sql.SQL(", ").join(sql.Identifier(one.name) for one in map_of(spec).primary_key.columns),
        "source_id": sql.Literal(entries.views.source_id),
    }
    values = {"key": row.key, "new_key": row.new_key, "decision": Jsonb({"name": row.name})}
    gone = entries.session.execute(SQL["former"].format(**names), values).rowcount
    made = entries.session.execute(SQL["named"].format(**names), values).rowcount
    movements.of_fall_back(entries.session, entries.state, entries.views.source_id, table, made - gone)
