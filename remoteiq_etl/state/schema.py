"""Our own schema in the target database: opening it, and reading what earlier runs recorded.

Belongs here: creating and upgrading the state schema, sources, maps read as lookups, recorded decisions. Does not belong
here: the writes of a batch (see merge), the life of a run (see run).
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version

from psycopg import sql
from sqlalchemy import Table

from remoteiq_etl.errors import StateVersionError
from remoteiq_etl.postgres.database import ArrowSession, Database, Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.decisions import Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.map_views import make_views
from remoteiq_etl.state.maps import lazy_map, map_of, whole_map
from remoteiq_etl.state.upgrade import upgrade
from schemas import ddl, state
from schemas.state.maps import IS_MAP, MAP_PATTERN, map_comment, map_name, map_table

SQL = statements(__file__)


_LOCK = "SELECT pg_advisory_xact_lock(hashtext('remoteiq_etl.state'))"


#: Every map has the same columns but for the types of the two keys.
_ANY_MAP = map_table("any")


def program_version() -> str:
    """The version of this program, as installed."""
    try:
        return version("remoteiq-etl")
    except PackageNotFoundError:
        return "unknown"


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

    @cached_property
    def names(self) -> Mapping[str, sql.Identifier]:
        """Every table and function of the state schema but the maps, by name: what any statement may name."""
        return {name: self.name(name) for name in (*(table.name for table in fixed_tables()), *_FUNCTIONS)}

    def exists(self, session: Session) -> bool:
        """Whether the state schema has been created."""
        return session.value("SELECT to_regclass(%s) IS NOT NULL", [self.name("meta").as_string(None)]) is True

    def is_current(self, session: Session) -> bool:
        """Whether the state schema is there and of this program's version. Raises StateVersionError when it is newer."""
        return self._version(session) == state.SCHEMA_VERSION

    def ensure(self, session: Session) -> None:
        """Create the state schema, or upgrade an older one. Raises StateVersionError when a newer program wrote it."""
        if self.is_current(session):
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
        found: Lookup | None = None
        if not self._large.get(entity):
            found = whole_map(arrow, name, of_table, quarantined, own=own)
        if found is None:
            self._large[entity] = True
            found = lazy_map(arrow, name, of_table, quarantined, own=own)
        # What an entity being loaded knows of itself is what it knew when the load began.
        return found.extended([], []) if own else found

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

    def recorded(self, session: Session, source_id: int, spec: TableSpec) -> StoredDecisions:
        """The decisions that earlier runs recorded in the map of a table."""
        if not self.has_map(session, spec.name):
            return StoredDecisions()
        query = sql.SQL(
            "SELECT legacy_table, legacy_key::text, rule, decision, new_key::text FROM {} WHERE source_id = %s AND decision IS NOT NULL"
        )
        rows = session.rows(query.format(self.name(map_name(spec.name))), [source_id])
        return StoredDecisions(
            {(row[0], row[1]): Decision(row[0], row[1], row[2], row[3], row[4], spec.name) for row in rows}
        )

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
        if "stages" in added:
            session.execute(SQL["stages_opening"].format(**self.names), {"entities": entities})
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
            session.execute(SQL["movements_opening"].format(**names, **places))

    def _create_functions(self, session: Session) -> None:
        for name in _FUNCTIONS:
            session.execute(SQL[name].format(function=self.name(name)))

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
