"""Identity maps: their definition, the join with the target table whose keys they hold, making and reading them.

Belongs here: questions that a map answers, decisions recorded in it. Does not belong here: the writes of a batch
(remoteiq_etl.backfill.load).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql
from sqlalchemy import Table

from remoteiq_etl.frames import json_values
from remoteiq_etl.frames.derived_ids import BEGINNING, LONGEST_KEY
from remoteiq_etl.postgres.arrow import ArrowSession
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.decisions import Decision, StoredDecisions
from remoteiq_etl.spec.lookup import LazyLookup, Lookup
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.state.map_views import make_views
from remoteiq_etl.state.schema import LOCK, State, comment_ddl
from schemas import ddl
from schemas.state.maps import map_name, map_table

SQL = statements(__file__)

#: A map of so many bytes (about 20,000 entries) is read as a whole in a few hundredths of a second.
SMALL_MAP = 8 * 1024 * 1024


def key_join(spec: TableSpec, row: str = "t", of_map: str = "m") -> sql.Composable:
    """The condition under which a map row (m) names a target row (t)."""
    names = {"row": sql.Identifier(row), "map": sql.Identifier(of_map)}
    if len(spec.primary_key) == 1:
        return sql.SQL("{row}.{column} = {map}.new_key").format(**names, column=sql.Identifier(spec.primary_key[0]))
    parts = [
        sql.SQL("{row}.{column}::text = ({map}.new_key::jsonb ->> {position})").format(
            **names, column=sql.Identifier(column), position=sql.Literal(position)
        )
        for position, column in enumerate(spec.primary_key)
    ]
    return sql.SQL(" AND ").join(parts)


def short_key_of(key: sql.Composable) -> sql.Composable:
    """A legacy key (a text expression) as the lists of the state schema hold it (see frames.derived_ids.short_key)."""
    return sql.SQL(
        "CASE WHEN octet_length({key}) <= {longest} THEN {key}"
        " ELSE left({key}, {beginning}) || '…' || encode(sha256(convert_to({key}, 'UTF8')), 'hex') END"
    ).format(key=key, longest=sql.Literal(LONGEST_KEY), beginning=sql.Literal(BEGINNING))


@dataclass(frozen=True)
class MapEntries:
    """The entries of one map for one legacy table, fetched from the target.

    `of_table`: the FROM clause of its rows; `pairs` and `quarantined`: the SELECTs of its keys and of those in quarantine.
    """

    arrow: ArrowSession
    of_table: sql.Composable
    pairs: sql.Composable
    quarantined: sql.Composable

    def every(self) -> tuple[pa.Array, pa.Array]:
        """All legacy keys, and their new keys."""
        table = self.arrow.table(self.pairs.as_string(None))
        return table.column("legacy_key").combine_chunks(), table.column("new_key").combine_chunks()

    def some(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The new keys of those of these legacy keys that have one."""
        wanted = sql.SQL("{} AND m.legacy_key::text = ANY ({}::text[])").format(self.pairs, sql.Literal(list(keys)))
        table = self.arrow.table(wanted.as_string(None))
        return dict(zip(table.column("legacy_key").to_pylist(), table.column("new_key").to_pylist(), strict=True))

    def decisions(self) -> Mapping[str, Mapping[str, Any]]:
        """The recorded decisions by legacy key."""
        query = sql.SQL("SELECT legacy_key::text AS key, decision::text AS decision {} AND decision IS NOT NULL")
        table = self.arrow.table(query.format(self.of_table).as_string(None))
        texts = table.column("decision").to_pylist()
        return {key: json_values.parse(text) for key, text in zip(table.column("key").to_pylist(), texts, strict=True)}

    def marked(self) -> Mapping[str, frozenset[str]]:
        """The legacy keys that are adopted, quarantined and deleted."""
        query = SQL["lookup_marks"].format(of_table=self.of_table, quarantined=self.quarantined)
        return _marks(self.arrow.table(query.as_string(None)))


def _marks(table: pa.Table) -> Mapping[str, frozenset[str]]:
    return {
        mark: frozenset(table.column("legacy_key").filter(table.column(mark)).to_pylist())
        for mark in ("adopted", "quarantined", "deleted")
    }


def whole_map(
    arrow: ArrowSession, name: sql.Identifier, of_table: sql.Composable, quarantined: sql.Composable, *, own: bool
) -> Lookup | None:
    """The lookup that all entries of a map for one legacy table make; None where it is too large, so that they were not read.

    `own`: keys that a decision alone names count in any case (see read_lookup).
    """
    query = SQL["lookup_whole"].format(
        of_table=of_table,
        map=name,
        own=sql.Literal(own),
        quarantined=quarantined,
        size=sql.Literal(SMALL_MAP),
        relation=sql.Literal(name.as_string(None)),
    )
    return _whole(arrow.table(query.as_string(None)))


def lazy_map(
    arrow: ArrowSession, name: sql.Identifier, of_table: sql.Composable, quarantined: sql.Composable, *, own: bool
) -> LazyLookup:
    """The lookup of a large map, of which only the entries that are asked for are read."""
    pairs = SQL["lookup"].format(of_table=of_table, map=name, own=sql.Literal(own))
    return LazyLookup(MapEntries(arrow, of_table, pairs, quarantined))


def _whole(table: pa.Table) -> Lookup | None:
    """The lookup that all entries of a map make; None where it is too large, so that they were not read."""
    if pc.any(table.column("large")).as_py():
        return None
    # By masks: an expression makes a query plan of its own, which takes longer than most of these maps.
    entries = table.filter(table.column("new_key").is_valid())
    decided = table.filter(table.column("decision").is_valid())
    texts = zip(decided.column("legacy_key").to_pylist(), decided.column("decision").to_pylist(), strict=True)
    decisions = {key: json_values.parse(text) for key, text in texts}
    return Lookup(_array(entries.column("legacy_key")), _array(entries.column("new_key")), decisions, **_marks(table))


def _array(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()


def map_of(spec: TableSpec) -> Table:
    """The definition of a table's map: typed by the one legacy key of a log-like table, else text."""
    streamed = [source for source in spec.sources if isinstance(source, Source)]
    single = spec.log_like and len(spec.sources) == 1 and len(streamed) == 1
    legacy_key = key_type(streamed[0].table, streamed[0].key_columns) if single else "text"
    new_key = key_type(spec.target, spec.primary_key)
    return map_table(
        spec.name,
        legacy_key=legacy_key,
        new_key=new_key,
        several_sources=not single,
        shared_rows=spec.primary_key != ("id",) or new_key != "uuid",
        log_like=spec.log_like,
    )


def key_type(table: Table, columns: tuple[str, ...]) -> str:
    """The type that the key of these columns has in a map: uuid and bigint as they are, everything else as text."""
    if len(columns) != 1:
        return "text"
    return {"UUID": "uuid", "BIGINT": "bigint"}.get(str(table.columns[columns[0]].type), "text")


def ensure_map(state: State, session: Session, spec: TableSpec) -> Table:
    """The mapping table of a target table, created when it is missing; a log-like one gets its index when it is loaded."""
    ensure_maps(state, session, [spec])
    return map_of(spec)


def ensure_maps(state: State, session: Session, specs: Iterable[TableSpec]) -> None:
    """Create the mapping tables that are missing, all at once: each new one changes the view over all of them."""
    missing = [spec for spec in specs if not state.has_map(session, spec.name)]
    if missing:
        with session.transaction():
            _create_maps(state, session, {spec.name: spec for spec in missing})
        state.forget_maps()


def _create_maps(state: State, session: Session, specs: Mapping[str, TableSpec]) -> None:
    """Two sources may want one at the same time: one of them waits, and finds it."""
    session.execute(LOCK)
    state.forget_maps()
    missing = [spec for entity, spec in specs.items() if not state.has_map(session, entity)]
    statements: list[str] = []
    for spec in missing:
        statements += ddl.table_ddl(map_of(spec), state.schema, foreign_keys=False, indexes=not spec.log_like)
        statements += comment_ddl(map_of(spec), state.schema)
    if missing:
        session.execute(";\n".join(statements))
        names = [spec.name for spec in missing]
        make_views(session, state.schema, names, {*names, *state.entities(session)})


def complete_map(state: State, session: Session, spec: TableSpec) -> None:
    """Create the indexes that the map of a loaded table still lacks.

    New keys are random: made once over a million rows their index takes half a second, row by row three. Until then
    the primary key of the target keeps them apart.
    """
    table = map_of(spec)
    names = sorted(str(index.name) for index in table.indexes)
    if not state.indexes.issuperset(names):
        query = "SELECT indexname FROM pg_indexes WHERE schemaname = %s"
        state.indexes = {row[0] for row in session.rows(query, [state.schema])}
    for name, statement in zip(names, ddl.index_ddl(table, state.schema), strict=True):
        if name not in state.indexes:
            session.execute(statement)


def read_lookup(
    state: State, session: Session, arrow: ArrowSession, source_id: int, entity: str, legacy_table: str, *, own: bool
) -> Lookup:
    """The map of an entity for one legacy table, as it is committed now. Empty when nothing was ever mapped.

    A key that a decision alone names counts only when the row it names is there; with `own` (the entity is just being
    loaded) it counts in any case.
    """
    if not state.has_map(session, entity):
        return Lookup.of({})
    name = state.name(map_name(entity))
    of_table = sql.SQL("FROM {} AS m WHERE source_id = {} AND legacy_table = {}").format(
        name, sql.Literal(source_id), sql.Literal(legacy_table)
    )
    quarantined = _quarantined(state, source_id, entity, legacy_table)
    found: Lookup | None = None
    if entity not in state.large:
        found = whole_map(arrow, name, of_table, quarantined, own=own)
    if found is None:
        state.large.add(entity)
        found = lazy_map(arrow, name, of_table, quarantined, own=own)
    # What an entity being loaded knows of itself is what it knew when the load began.
    return found.extended([], []) if own else found


def _quarantined(state: State, source_id: int, entity: str, legacy_table: str) -> sql.Composed:
    """The SELECT of the legacy keys that are quarantined for a target table."""
    query = sql.SQL(
        "SELECT legacy_key FROM {} WHERE source_id = {} AND legacy_table = {} AND table_name = {} AND released_run IS NULL"
    )
    values = map(sql.Literal, (source_id, legacy_table, entity))
    return query.format(state.name("quarantine"), *values)


def recorded_decisions(state: State, session: Session, source_id: int, spec: TableSpec) -> StoredDecisions:
    """The decisions that earlier runs recorded in the map of a table."""
    if not state.has_map(session, spec.name):
        return StoredDecisions()
    query = sql.SQL(
        "SELECT legacy_table, legacy_key::text, rule, decision, new_key::text FROM {} WHERE source_id = %s AND decision IS NOT NULL"
    )
    rows = session.rows(query.format(state.name(map_name(spec.name))), [source_id])
    return StoredDecisions(
        {(row[0], row[1]): Decision(row[0], row[1], row[2], row[3], row[4], spec.name) for row in rows}
    )
