"""Our own schema in the target database: opening it, and reading what earlier runs recorded.

Belongs here: creating and upgrading the state schema, sources, maps read as lookups, recorded decisions. Does not belong
here: the writes of a batch (see merge), the life of a run (see run).
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql
from sqlalchemy import Table

from remoteiq_etl.backfill import jsons
from remoteiq_etl.backfill.database import ArrowSession, Database, Session, load_sql
from remoteiq_etl.backfill.lookup import LazyLookup, Lookup
from remoteiq_etl.backfill.map_views import make_views
from remoteiq_etl.backfill.spec import Decision, Recorded, Source, TableSpec
from remoteiq_etl.backfill.upgrade import upgrade
from remoteiq_etl.errors import ConfigurationError, StateVersionError
from schemas import ddl, state
from schemas.state import conflicts as _conflicts  # noqa: F401  # defines fixed tables
from schemas.state import drift as _drift  # noqa: F401  # defines fixed tables
from schemas.state import gone as _gone  # noqa: F401  # defines fixed tables
from schemas.state import movements as _movements  # noqa: F401  # defines fixed tables
from schemas.state import orders as _orders  # noqa: F401  # defines fixed tables
from schemas.state import passes as _passes  # noqa: F401  # defines fixed tables
from schemas.state import resets as _resets  # noqa: F401  # defines fixed tables
from schemas.state import settings_map as _settings_map  # noqa: F401  # defines fixed tables
from schemas.state import tables as _tables  # noqa: F401  # defines fixed tables
from schemas.state import undo as _undo  # noqa: F401  # defines fixed tables
from schemas.state import verifications as _verifications  # noqa: F401  # defines fixed tables
from schemas.state import warnings as _warnings  # noqa: F401  # defines fixed tables
from schemas.state.maps import IS_MAP, MAP_PATTERN, map_comment, map_name, map_table

#: A map of so many bytes (about 20,000 entries) is read as a whole in a few hundredths of a second.
SMALL_MAP = 8 * 1024 * 1024
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('remoteiq_etl.state'))"
#: Every map has the same columns but for the types of the two keys.
_ANY_MAP = map_table("any")


def program_version() -> str:
    """The version of this program, as installed."""
    try:
        return version("remoteiq-etl")
    except PackageNotFoundError:
        return "unknown"


@dataclass(frozen=True)
class Registered:
    """One source as the state schema knows it."""

    id: int
    name: str
    hash_key: bytes


class State:
    """The state schema of one target database."""

    def __init__(self, target: Database, schema: str) -> None:
        self.target = target
        self.schema = schema
        self._maps: set[str] | None = None
        self._indexes: set[str] = set()
        self._large: dict[str, bool] = {}

    def name(self, table: str) -> sql.Identifier:
        """A table of the state schema, quoted."""
        return sql.Identifier(self.schema, table)

    def exists(self, session: Session) -> bool:
        """Whether the state schema has been created."""
        return session.value("SELECT to_regclass(%s) IS NOT NULL", [self.name("meta").as_string(None)]) is True

    def ensure(self, session: Session) -> None:
        """Create the state schema, or upgrade an older one. Raises StateVersionError when a newer program wrote it."""
        if self._version(session) == state.SCHEMA_VERSION:
            return
        with session.transaction():
            session.execute(_LOCK)
            found = self._version(session)
            if found is None:
                self._create(session)
            elif found < state.SCHEMA_VERSION:
                self._upgrade(session)

    def ensure_map(self, session: Session, spec: TableSpec) -> Table:
        """The mapping table of a target table, created when it is missing; a log-like one gets its index when it is loaded."""
        self.ensure_maps(session, [spec])
        return map_of(spec)

    def ensure_maps(self, session: Session, specs: Iterable[TableSpec]) -> None:
        """Create the mapping tables that are missing, all at once: each new one changes the view over all of them."""
        missing = [spec for spec in specs if not self.has_map(session, spec.name)]
        if missing:
            with session.transaction():
                self._create_maps(session, {spec.name: spec for spec in missing})
            self._maps = None

    def _create_maps(self, session: Session, specs: Mapping[str, TableSpec]) -> None:
        """Two sources may want one at the same time: one of them waits, and finds it."""
        session.execute(_LOCK)
        self._maps = None
        missing = [spec for entity, spec in specs.items() if not self.has_map(session, entity)]
        statements: list[str] = []
        for spec in missing:
            statements += ddl.table_ddl(map_of(spec), self.schema, foreign_keys=False, indexes=not spec.log_like)
            statements += comment_ddl(map_of(spec), self.schema)
        if missing:
            session.execute(";\n".join(statements))
            names = [spec.name for spec in missing]
            make_views(session, self.schema, names, {*names, *self.entities(session)})

    def entities(self, session: Session) -> list[str]:
        """The target tables that have a map."""
        return [name.removeprefix("legacy_").removesuffix("_map") for name in self.maps(session)]

    def complete_map(self, session: Session, spec: TableSpec) -> None:
        """Create the indexes that the map of a loaded table still lacks.

        New keys are random: made once over a million rows their index takes half a second, row by row three. Until then
        the primary key of the target keeps them apart.
        """
        table = map_of(spec)
        names = sorted(str(index.name) for index in table.indexes)
        if not self._indexes.issuperset(names):
            query = "SELECT indexname FROM pg_indexes WHERE schemaname = %s"
            self._indexes = {row[0] for row in session.rows(query, [self.schema])}
        for name, statement in zip(names, ddl.index_ddl(table, self.schema), strict=True):
            if name not in self._indexes:
                session.execute(statement)

    def register(self, session: Session, name: str, slug: str) -> Registered:
        """The source of this name; made at its first run. Raises ConfigurationError when another source has the slug."""
        sources = self.name("sources")
        owner = session.value(
            sql.SQL("SELECT name FROM {} WHERE organization_slug = %s AND name <> %s").format(sources), [slug, name]
        )
        if owner is not None:
            raise ConfigurationError(
                f"the organization slug {slug!r} belongs to the source {owner!r} in this target; source {name!r} needs one of its own."
                " Set REMOTEIQ_ORGANIZATION_SLUG, or REMOTEIQ_SOURCE if it is the same legacy database."
            )
        insert = sql.SQL(
            "INSERT INTO {} (name, organization_slug, hash_key) VALUES (%s, %s, %s) ON CONFLICT (name) DO NOTHING"
        )
        session.execute(insert.format(sources), [name, slug, secrets.token_bytes(32)])
        row = session.rows(
            sql.SQL("SELECT id, organization_slug, hash_key FROM {} WHERE name = %s").format(sources), [name]
        )[0]
        if row[1] != slug:
            raise ConfigurationError(
                f"the source {name!r} was migrated with the organization slug {row[1]!r}, but {slug!r} is configured."
                " A source keeps its slug: set REMOTEIQ_ORGANIZATION_SLUG back, or choose another REMOTEIQ_SOURCE."
            )
        return Registered(row[0], name, bytes(row[2]))

    def lookup(
        self, session: Session, arrow: ArrowSession, source_id: int, entity: str, legacy_table: str, *, own: bool
    ) -> Lookup:
        """The map of an entity for one legacy table, as it is committed now. Empty when nothing was ever mapped.

        A key that a decision alone names counts only when the row it names is there; with `own` (the entity is just being
        loaded) it counts in any case.
        """
        if not self.has_map(session, entity):
            return Lookup.of({})
        name = self.name(map_name(entity))
        of_table = sql.SQL("FROM {} AS m WHERE source_id = {} AND legacy_table = {}").format(
            name, sql.Literal(source_id), sql.Literal(legacy_table)
        )
        quarantined = self._quarantined(source_id, entity, legacy_table)
        lookup: Lookup | None = None
        if not self._large.get(entity):
            whole = load_sql("lookup_whole").format(
                of_table=of_table,
                map=name,
                own=sql.Literal(own),
                quarantined=quarantined,
                size=sql.Literal(SMALL_MAP),
                relation=sql.Literal(name.as_string(None)),
            )
            lookup = _whole(arrow.table(whole.as_string(None)))
        if lookup is None:
            self._large[entity] = True
            pairs = load_sql("lookup").format(of_table=of_table, map=name, own=sql.Literal(own))
            lookup = LazyLookup(MapEntries(arrow, of_table, pairs, quarantined))
        # What an entity being loaded knows of itself is what it knew when the load began.
        return lookup.extended([], []) if own else lookup

    def _quarantined(self, source_id: int, entity: str, legacy_table: str) -> sql.Composed:
        """The SELECT of the legacy keys that are quarantined for a target table."""
        query = sql.SQL(
            "SELECT legacy_key FROM {} WHERE source_id = {} AND legacy_table = {} AND table_name = {} AND released_run IS NULL"
        )
        values = map(sql.Literal, (source_id, legacy_table, entity))
        return query.format(self.name("quarantine"), *values)

    def has_map(self, session: Session, entity: str) -> bool:
        """Whether the mapping table of an entity exists; which exist is read once."""
        if self._maps is None:
            self._maps = self.maps(session)
        return map_name(entity) in self._maps

    def maps(self, session: Session) -> set[str]:
        """The names of the mapping tables that exist."""
        query = "SELECT tablename FROM pg_tables WHERE schemaname = %s"
        names = {row[0] for row in session.rows(query, [self.schema])} - {table.name for table in fixed_tables()}
        return {name for name in names if MAP_PATTERN.fullmatch(name)}

    def recorded(self, session: Session, source_id: int, spec: TableSpec) -> Recorded:
        """The decisions that earlier runs recorded in the map of a table."""
        if not self.has_map(session, spec.name):
            return Recorded()
        query = sql.SQL(
            "SELECT legacy_table, legacy_key::text, rule, decision, new_key::text FROM {} WHERE source_id = %s AND decision IS NOT NULL"
        )
        rows = session.rows(query.format(self.name(map_name(spec.name))), [source_id])
        return Recorded({(row[0], row[1]): Decision(row[0], row[1], row[2], row[3], row[4], spec.name) for row in rows})

    def _version(self, session: Session) -> int | None:
        """The version of the state schema; None where there is none. Raises StateVersionError when it is newer than ours."""
        if not self.exists(session):
            return None
        found = int(session.value(sql.SQL("SELECT schema_version FROM {}").format(self.name("meta"))))
        if found > state.SCHEMA_VERSION:
            raise StateVersionError(
                f"the state schema {self.schema} of the target has version {found}, this program knows {state.SCHEMA_VERSION}."
                " A newer version of the program wrote it: run that one."
            )
        return found

    def _upgrade(self, session: Session) -> None:
        tables = fixed_tables()
        added = upgrade(session, self.schema, tables)
        entities = self.entities(session)
        if "movements" in added:
            self._open_movements(session, entities)
        comments = [statement for table in tables for statement in comment_ddl(table, self.schema)]
        comments += [statement for entity in entities for statement in comment_ddl(_ANY_MAP, self.schema, entity)]
        session.execute(";\n".join(comments))
        make_views(session, self.schema, entities, entities)
        self._create_functions(session)
        update = sql.SQL("UPDATE {} SET schema_version = %s, program_version = %s").format(self.name("meta"))
        session.execute(update, [state.SCHEMA_VERSION, program_version()])

    def _open_movements(self, session: Session, entities: Iterable[str]) -> None:
        """Begin the book of movements with the rows that are ours."""
        names = {name: self.name(name) for name in ("movements", "runs", "sources")}
        for entity in entities:
            places = {"map": self.name(map_name(entity)), "table_name": sql.Literal(entity)}
            session.execute(load_sql("movements_opening").format(**names, **places))

    def _create_functions(self, session: Session) -> None:
        for name in _FUNCTIONS:
            session.execute(load_sql(name).format(function=self.name(name)))

    def _create(self, session: Session) -> None:
        statements = ddl.schema_ddl(self.schema)
        for table in fixed_tables():
            statements += ddl.table_ddl(table, self.schema, foreign_keys=True, indexes=True)
            statements += comment_ddl(table, self.schema)
        session.execute(";\n".join(statements))
        make_views(session, self.schema, (), ())
        self._create_functions(session)
        insert = sql.SQL("INSERT INTO {} (schema_version, program_version) VALUES (%s, %s)").format(self.name("meta"))
        session.execute(insert, [state.SCHEMA_VERSION, program_version()])


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
        return {key: jsons.parse(text) for key, text in zip(table.column("key").to_pylist(), texts, strict=True)}

    def marked(self) -> Mapping[str, frozenset[str]]:
        """The legacy keys that are adopted, quarantined and deleted."""
        query = load_sql("lookup_marks").format(of_table=self.of_table, quarantined=self.quarantined)
        return _marks(self.arrow.table(query.as_string(None)))


def _marks(table: pa.Table) -> Mapping[str, frozenset[str]]:
    return {
        mark: frozenset(table.column("legacy_key").filter(table.column(mark)).to_pylist())
        for mark in ("adopted", "quarantined", "deleted")
    }


def _whole(table: pa.Table) -> Lookup | None:
    """The lookup that all entries of a map make; None where it is too large, so that they were not read."""
    if pc.any(table.column("large")).as_py():
        return None
    # By masks: an expression makes a query plan of its own, which takes longer than most of these maps.
    entries = table.filter(table.column("new_key").is_valid())
    decided = table.filter(table.column("decision").is_valid())
    texts = zip(decided.column("legacy_key").to_pylist(), decided.column("decision").to_pylist(), strict=True)
    decisions = {key: jsons.parse(text) for key, text in texts}
    return Lookup(_array(entries.column("legacy_key")), _array(entries.column("new_key")), decisions, **_marks(table))


def _array(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()


#: Functions of the state schema, each with its statement.
_FUNCTIONS = ("redacted", "picked", "image_columns")


def fixed_tables() -> list[Table]:
    """The tables of the state schema other than maps, parents first."""
    return [table for table in state.metadata.sorted_tables if IS_MAP not in table.info]


def comment_ddl(table: Table, schema: str, entity: str | None = None) -> list[str]:
    """The statements that say in the catalogue what a state table and its columns mean; of an entity: what its map does."""
    name, comment = (table.name, table.comment) if entity is None else (map_name(entity), map_comment(entity))
    statements = [sql.SQL("COMMENT ON TABLE {} IS {}").format(sql.Identifier(schema, name), sql.Literal(comment or ""))]
    statements += [
        sql.SQL("COMMENT ON COLUMN {} IS {}").format(
            sql.Identifier(schema, name, column.name), sql.Literal(column.comment)
        )
        for column in table.columns
        if column.comment
    ]
    return [statement.as_string(None) for statement in statements]


def map_of(spec: TableSpec) -> Table:
    """The definition of a table's map: typed by the one legacy key of a log-like table, else text."""
    streamed = [source for source in spec.sources if isinstance(source, Source)]
    single = spec.log_like and len(spec.sources) == 1 and len(streamed) == 1
    legacy_key = key_type(streamed[0].table, streamed[0].key_columns) if single else "text"
    new_key = key_type(spec.target, spec.primary_key)
    return state.map_table(
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
