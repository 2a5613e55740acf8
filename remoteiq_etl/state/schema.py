"""Our own schema in the target database: opening it, and reading what earlier runs recorded.

Belongs here: creating and upgrading the state schema, and which maps there are. Does not belong here: making and reading a
map (see maps), the writes of a batch, the life of a run.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version

from psycopg import sql
from sqlalchemy import Table

from remoteiq_etl.errors import StateVersionError
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.map_views import make_views
from remoteiq_etl.state.upgrade import upgrade
from schemas import ddl, state
from schemas.state.maps import IS_MAP, MAP_PATTERN, map_comment, map_name, map_table

SQL = statements(__file__)


#: Held by who makes or changes tables of the state schema.
LOCK = "SELECT pg_advisory_xact_lock(hashtext('remoteiq_etl.state'))"


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
        #: What was once read of the catalogue: indexes of maps that are there, and target tables whose map is large.
        self.indexes: set[str] = set()
        self.large: set[str] = set()

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
            session.execute(LOCK)
            found = self._version(session)
            if found is None:
                self._create(session)
            elif found < state.SCHEMA_VERSION:
                self._upgrade(session)

    def entities(self, session: Session) -> list[str]:
        """The target tables that have a map."""
        return [name.removeprefix("legacy_").removesuffix("_map") for name in self.maps(session)]

    def has_map(self, session: Session, entity: str) -> bool:
        """Whether the mapping table of an entity exists; which exist is read once."""
        if self._maps is None:
            self._maps = self.maps(session)
        return map_name(entity) in self._maps

    def forget_maps(self) -> None:
        """Some were made: which exist is to be read again."""
        self._maps = None

    def maps(self, session: Session) -> set[str]:
        """The names of the mapping tables that exist."""
        query = "SELECT tablename FROM pg_tables WHERE schemaname = %s"
        names = {row[0] for row in session.rows(query, [self.schema])} - {table.name for table in fixed_tables()}
        return {name for name in names if MAP_PATTERN.fullmatch(name)}

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
