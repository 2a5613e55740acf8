"""Legacy rows beside the target: temporary tables that a second opinion can be asked of.

Rows go from server to server as binary COPY, so that memory stays flat, and are gone with the session. Belongs here: the
tables and views that an opinion finds. Does not belong here: what is asked of them (see compare).
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from psycopg import sql
from sqlalchemy import Column, DateTime, Table
from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.postgres.encodings import Unreadable, readable
from remoteiq_etl.postgres.row_hash import row_hash
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.maps import key_type
from remoteiq_etl.state.schema import State
from remoteiq_etl.verify.expected.case_folding import offer_names
from schemas import legacy, target
from schemas.state.maps import map_name

SQL = statements(__file__)

#: Rows of a table that are compared at once: each range joins the whole map and target table anew.
RANGE_ROWS = 500_000
#: What the mapping carries of times, said once for everything that is verified: from 4712 BC up to 294245.
CARRIED = "({name} >= timestamptz '4712-01-01 00:00:00+00 BC' AND {name} < timestamptz '294246-01-01 00:00:00+00')"
_HEADER = 19  # of a binary COPY: signature, flags and the length of its extension
_TRAILER = b"\xff\xff"
_WRITTEN_AT_ONCE = 100  # rows: a call for each would cost as much as the row
_MAP_COLUMNS = (
    "legacy_table",
    "legacy_key",
    "new_key",
    "rule",
    "state",
    "adopted",
    "owner_key",
    "decision",
    "last_written",
    "first_run",
    "last_run",
)


class LegacyCopy:
    """What opinions of one source find in a session of the target.

    `reader` reads the legacy database in one snapshot. `absent`: columns that a live legacy table lacks, read as NULL.
    `marked`: every row has its keyed hash (`_hash`, as a run computes it) and the age of its xmin (`_age`) beside it; both
    sessions must know the key of the source (see hashing).
    """

    def __init__(
        self,
        reader: Session,
        session: Session,
        *,
        absent: Mapping[str, frozenset[str]] | None = None,
        range_rows: int = RANGE_ROWS,
        marked: bool = False,
    ) -> None:
        self.reader = reader
        self.session = session
        self.absent = absent or {}
        self.range_rows = range_rows
        self.marked = marked
        self._whole: dict[str, frozenset[str]] = {}

    def whole(self, name: str, columns: Sequence[str] = ()) -> None:
        """Have all rows of a legacy table at hand, once for all opinions that ask for these columns (none: all)."""
        table = legacy_table(name)
        wanted = frozenset(columns or [column.name for column in table.columns])
        if wanted <= self._whole.get(name, frozenset()):
            return
        wanted |= self._whole.pop(name, frozenset())
        chosen = [column for column in table.columns if column.name in wanted]
        self._create(table, chosen)
        for _ in self._copied(table, chosen, None):
            pass
        self._whole[name] = wanted

    def ranges(self, name: str, only: sql.Composable | None = None) -> Iterator[int]:
        """Have one range of a legacy table's rows at hand after the other; gives how many rows each has.

        `only`: the condition under which a row (alias l) is wanted at all.
        """
        table = legacy_table(name)
        self._whole.pop(name, None)
        self._create(table, list(table.columns))
        yield from self._copied(table, list(table.columns), self.range_rows, only)

    def offer_maps(self, state: State, source_id: int, entities: Sequence[str]) -> None:
        """Show the maps of one source as `map_<entity>`; of a table that was never loaded an empty one.

        Maps that were filled a moment ago have no statistics: taken for small ones, they would be joined row by row (8,000
        assignments took 6.2 s so, and 0.1 s by hash). What forbids that makes plans look dear enough for jit, which costs more.
        """
        self.session.execute("SET enable_nestloop = off; SET jit = off")
        present = state.entities(self.session)
        for entity in entities:
            query = _map_query(state, source_id, entity) if entity in present else _no_map(entity)
            self.session.execute(
                sql.SQL("CREATE OR REPLACE TEMP VIEW {} AS {}").format(sql.Identifier(f"map_{entity}"), query)
            )

    @contextmanager
    def made(self, tables: Mapping[str, str]) -> Iterator[None]:
        """Have these tables, each by its SELECT, for the length of the block."""
        for name, query in tables.items():
            self.session.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier("pg_temp", name)))
            create = sql.SQL("CREATE TEMP TABLE {} AS {}").format(sql.Identifier(name), sql.SQL(query))
            self.session.execute(create)
            self.session.execute(sql.SQL("ANALYZE {}").format(sql.Identifier("pg_temp", name)))
        yield
        for name in tables:
            self.session.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier("pg_temp", name)))

    def offer_target(self, schema: str, table: str) -> None:
        """Show a table of the target as `target_<table>`."""
        view = sql.Identifier(f"target_{table}")
        self.session.execute(sql.SQL("DROP VIEW IF EXISTS pg_temp.{}").format(view))
        query = sql.SQL("CREATE TEMP VIEW {} AS SELECT * FROM {}")
        self.session.execute(query.format(view, sql.Identifier(schema, table)))

    def offer_settings(
        self,
        source: tuple[str, str, str],
        options: Mapping[str, Any],
        words: Mapping[str, Mapping[str, str]],
    ) -> None:
        """Tell the source, the options of its runs, an operator's words, and how names and mail are read."""
        self._table("source", "name text, slug text, organization_id text", [source])
        self._table(
            "run_option", "name text, value jsonb", [(name, json.dumps(value)) for name, value in options.items()]
        )
        added = [(name, word, label) for name, pairs in words.items() for word, label in pairs.items()]
        self._table("added_word", "value_map text, word text, label text", added)
        offer_names(self.session)

    def offer_labels(self, schema: str) -> None:
        """Tell the labels that enum types of the target have beside the redesign's."""
        found = self.session.rows(SQL["labels"], {"schema": schema})
        further = [one for one in found if one[2] not in _redesigned(one[0], one[1])]
        self._table("further_label", "table_name text, column_name text, label text", further)

    def _table(self, name: str, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
        table = sql.Identifier("pg_temp", name)
        self.session.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
        self.session.execute(sql.SQL("CREATE TEMP TABLE {} ({})").format(sql.Identifier(name), sql.SQL(columns)))
        if rows:
            marks = sql.SQL(", ".join(["%s"] * len(rows[0])))
            self.session.execute_many(sql.SQL("INSERT INTO {} VALUES ({})").format(table, marks), rows)

    def _create(self, table: Table, columns: Sequence[Column[Any]]) -> None:
        name = sql.Identifier(f"legacy_{table.name}")
        parts = [sql.SQL("{} {}").format(sql.Identifier(one.name), sql.SQL(copy_type(one))) for one in columns]
        marks = sql.SQL(", _odd_times text[]" + (", _hash bytea, _age int" if self.marked else ""))
        self.session.execute(
            sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier("pg_temp", f"legacy_{table.name}"))
        )
        self.session.execute(sql.SQL("CREATE TEMP TABLE {} ({}{})").format(name, sql.SQL(", ").join(parts), marks))

    def _copied(
        self, table: Table, columns: Sequence[Column[Any]], rows: int | None, only: sql.Composable | None = None
    ) -> Iterator[int]:
        """Copy the rows of a table, all at once or `rows` at a time; what was copied before is gone."""
        goes_to = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(
            sql.Identifier("pg_temp", f"legacy_{table.name}")
        )
        query = self._query(self.reader.database, table, columns)
        if only is not None:
            query += sql.SQL(" WHERE ") + only
        with self.reader.connection.cursor().copy(
            sql.SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(query)
        ) as source:
            messages = iter(source)
            first = bytes(next(messages))
            header, waiting = first[:_HEADER], first[_HEADER:]
            while waiting and waiting != _TRAILER:
                count = 0
                self.session.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier("pg_temp", f"legacy_{table.name}")))
                with self.session.connection.cursor().copy(goes_to) as filled:
                    written = [header]
                    while waiting and waiting != _TRAILER and (rows is None or count < rows):
                        written.append(waiting)
                        count += 1
                        if count % _WRITTEN_AT_ONCE == 0:
                            filled.write(b"".join(written))
                            written.clear()
                        waiting = bytes(next(messages, b""))
                    filled.write(b"".join([*written, _TRAILER]))
                self._analyze(table.name)
                yield count
            for _ in messages:  # a COPY ends with its last message; until then the connection takes no other command
                pass

    def _query(self, database: Database, table: Table, columns: Sequence[Column[Any]]) -> sql.Composed:
        absent = self.absent.get(table.name, frozenset())
        items: list[sql.Composable] = [_read(one, database.unreadable, is_absent=one.name in absent) for one in columns]
        items.append(_odd_times([one for one in columns if one.name not in absent]))
        if self.marked:
            hashed = [sql.Identifier(one.name) for one in table.columns if one.name not in absent]
            items += [row_hash(hashed), sql.SQL("age({})").format(sql.Identifier("l", "xmin"))]
        return sql.SQL("SELECT {} FROM {} AS l").format(sql.SQL(", ").join(items), database.table(table.name))

    def _analyze(self, name: str) -> None:
        self.session.execute(sql.SQL("ANALYZE {}").format(sql.Identifier("pg_temp", f"legacy_{name}")))


#: Types of a copy that may hold any bytes, and how such are shown.
_TEXTS = {"text": "text", "jsonb": "jsonb", "text[]": "text[]"}


def _redesigned(table: str, column: str) -> Collection[str]:
    """The labels of a column of the redesign; of a column that it has not or that has another type none."""
    found = target.metadata.tables.get(f"{target.metadata.schema}.{table}")
    kind = None if found is None or column not in found.columns else found.columns[column].type
    return kind.enums if isinstance(kind, pg.ENUM) else ()


def legacy_table(name: str) -> Table:
    """The definition of a legacy table."""
    return legacy.metadata.tables[f"{legacy.metadata.schema}.{name}"]


def _read(column: Column[Any], bad: Unreadable | None, *, is_absent: bool) -> sql.Composed:
    """A legacy column as its copy has it. A time that the mapping does not carry counts as none everywhere in it."""
    name, kind = sql.Identifier(column.name), copy_type(column)
    value: sql.Composable = sql.SQL("{}::{}").format(name, sql.SQL(kind))
    if is_absent:
        value = sql.SQL("NULL")
    elif isinstance(column.type, DateTime):
        value = sql.SQL("CASE WHEN " + CARRIED + " THEN {name} END").format(name=name)
    elif kind.lower() in _TEXTS:
        value = readable(bad, value, _TEXTS[kind.lower()])
    return sql.SQL("({})::{}").format(value, sql.SQL(kind))


def _odd_times(columns: Sequence[Column[Any]]) -> sql.Composable:
    """The names of those times of a row that are there and not carried; null where there is none."""
    names = [sql.Identifier(one.name) for one in columns if isinstance(one.type, DateTime)]
    if not names:
        return sql.SQL("NULL::text[]")
    lost = [sql.SQL("NOT " + CARRIED).format(name=name) for name in names]
    listed = [
        sql.SQL("CASE WHEN {} THEN {} END").format(one, sql.Literal(name.as_string(None).strip('"')))
        for name, one in zip(names, lost, strict=True)
    ]
    return sql.SQL("CASE WHEN {} THEN array_remove(ARRAY[{}]::text[], NULL) END").format(
        sql.SQL(" OR ").join(lost), sql.SQL(", ").join(listed)
    )


def copy_type(column: Column[Any]) -> str:
    """The type of a legacy column in its copy: labels and case-insensitive text are plain text there."""
    if isinstance(column.type, pg.ENUM | pg.CITEXT):
        return "text"
    return str(column.type.compile(pg.dialect()))  # type: ignore[no-untyped-call]


def _map_query(state: State, source_id: int, entity: str) -> sql.Composed:
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in _MAP_COLUMNS)
    query = sql.SQL("SELECT {} FROM {} WHERE source_id = {}")
    return query.format(columns, state.name(map_name(entity)), sql.Literal(source_id))


def _no_map(entity: str) -> sql.Composed:
    """The map of a table that was never loaded: opinions and rules compare its keys with those of others."""
    table = target.metadata.tables[f"{target.metadata.schema}.{entity}"]
    kind = key_type(table, tuple(column.name for column in table.primary_key.columns))
    return sql.SQL(
        "SELECT NULL::text AS legacy_table, NULL::text AS legacy_key, NULL::{} AS new_key, NULL::text AS rule, NULL::text AS state,"
        " NULL::boolean AS adopted, NULL::text AS owner_key, NULL::jsonb AS decision, NULL::jsonb AS last_written,"
        " NULL::bigint AS first_run, NULL::bigint AS last_run WHERE false"
    ).format(sql.SQL(kind))
