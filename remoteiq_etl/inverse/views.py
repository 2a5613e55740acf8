"""The legacy-shaped views of one source in the target: making or renewing them, looking at them, dropping those of ours.

They stand in a schema of their own and are read as whoever made them reads; nobody writes through them. A comment marks what is
ours. Belongs here: that, and the numbers of rows that legacy never had. Does not belong here: what a view says (see definition).
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import psycopg
from psycopg import sql
from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.errors import ViewsError
from remoteiq_etl.inverse import definition
from remoteiq_etl.inverse.definition import NUMBERS, ViewPlace
from remoteiq_etl.inverse.inverse import Inverse, inverses
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.schema import State
from schemas import legacy
from schemas.state.maps import map_name

SQL = statements(__file__)

SCHEMA = "remoteiq_legacy"
_DEFAULT_SOURCE = "default"
_MARK = "Made by remoteiq-etl"
AGENT_KEYS, ROLES_WITH_META = "agent_keys", "roles_with_meta"


def schema_of(source: str) -> str:
    """The schema of a source's views: one for each, so that none shows rows of another."""
    return SCHEMA if source == _DEFAULT_SOURCE else f"{SCHEMA}_{source}"


@dataclass(frozen=True)
class ViewsInstalled:
    """The views that were made or renewed, by name, and how many rows got a number for their legacy key."""

    schema: str
    made: tuple[str, ...]
    numbered: int


@dataclass(frozen=True)
class LegacyViews:
    """The views of one source in the target that the session writes."""

    session: Session
    state: State
    source: str
    source_id: int
    chosen: Mapping[str, Inverse] = field(default_factory=inverses)

    @cached_property
    def place(self) -> ViewPlace:
        """Where they stand. Raises ViewsError when the organization of the source is not there."""
        names = {"organizations": sql.Identifier(self._target, "organizations"), "sources": self.state.name("sources")}
        found = self.session.value(SQL["organization"].format(**names), {"source_id": self.source_id})
        if found is None:
            raise ViewsError(
                f"expected the organization of the source {self.source!r} in {self._target}, found none: views show what was"
                " migrated. Run remoteiq-etl run first."
            )
        return ViewPlace(self._target, self.state.schema, schema_of(self.source), self.source_id, str(found))

    # --- install --------------------------------------------------------------------------------------------------

    def install(self) -> ViewsInstalled:
        """Make or renew the views in one transaction, and number the rows that only the new application wrote.

        May be repeated: what is there as it should be is not touched. Raises ViewsError when the schema, or something in it that
        has the name of a view, is not ours, or a map is missing because its table was never loaded.
        """
        with self.session.transaction():
            self._make_schema()
            self._make_indexes()
            made = [name for name, select in self.definitions() if self._made(name, select)]
            numbered = self._number()
        return ViewsInstalled(self.place.views, tuple(made), numbered)

    def definitions(self) -> Iterator[tuple[str, sql.Composable]]:
        """Every view with its SELECT, in the order in which they depend on each other."""
        numbers, agents = self.state.name(NUMBERS), self.state.name(map_name("agents"))
        source = sql.Literal(self.source_id)
        yield AGENT_KEYS, SQL["agent_keys"].format(numbers=numbers, map=agents, source=source)
        for name, inverse in self.chosen.items():
            yield name, definition.select(inverse, self.place, self._key_type(inverse))
        if {"roles", "role_meta"} <= set(self.chosen):
            named = {name: sql.Identifier(self.place.views, name) for name in ("roles", "role_meta")}
            yield ROLES_WITH_META, SQL["roles_with_meta"].format(**named)

    def select_over(self, inverse: Inverse, schema: str) -> sql.Composed:
        """The SELECT of a view over the target's tables as another schema has them."""
        return definition.select(inverse, replace(self.place, target=schema), self._key_type(inverse))

    def _make_schema(self) -> None:
        found = self.session.rows(SQL["schema"], {"schema": self.place.views})
        if found and not is_ours(found[0][0]):
            raise ViewsError(
                f"the schema {self.place.views} is somebody else's: it lacks our comment. Rename it, and repeat."
            )
        if not found:
            name = sql.Identifier(self.place.views)
            self.session.execute(sql.SQL("CREATE SCHEMA {}").format(name))
            about = f"The tables of the legacy database, read from the redesign; source {self.source}. {_MARK}, schema"
            self.session.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(name, sql.Literal(about)))
        for enum in _enums():
            self._make_enum(enum)

    def _make_enum(self, enum: pg.ENUM) -> None:
        name = sql.Identifier(self.place.views, str(enum.name))
        if self.session.value("SELECT to_regtype(%s)", [name.as_string(None)]) is None:
            labels = sql.SQL(", ").join(map(sql.Literal, enum.enums))
            self.session.execute(sql.SQL("CREATE TYPE {} AS ENUM ({})").format(name, labels))

    def _make_indexes(self) -> None:
        for inverse in self.chosen.values():
            stored = self._key_type(inverse)
            if inverse.keys is None or stored is None:
                continue
            key = definition.key_expression(inverse, stored, "")
            if isinstance(key, sql.Composed):
                self._make_index(inverse, key)

    def _make_index(self, inverse: Inverse, key: sql.Composed) -> None:
        names = {
            "index": sql.Identifier(_index_name(inverse)),
            "map": self.state.name(map_name(str(inverse.keys))),
            "table": sql.Literal(inverse.name),
        }
        create = "CREATE INDEX IF NOT EXISTS {index} ON {map} ({key}) WHERE legacy_table = {table} AND state = 'live'"
        self.session.execute(sql.SQL(create).format(key=key, **names))

    def _number(self) -> int:
        return sum(self._numbered(inverse) for inverse in self.chosen.values() if definition.numbered(inverse))

    def _numbered(self, inverse: Inverse) -> int:
        names = {
            "numbers": self.state.name(NUMBERS),
            "map": self.state.name(map_name(str(inverse.keys))),
            "source": sql.Literal(self.source_id),
            "legacy_table": sql.Literal(inverse.name),
        }
        self.session.execute(SQL["outnumbered"].format(**names))
        statement = SQL["number"].format(
            **names,
            target_table=sql.Identifier(self._target, str(inverse.keys)),
            key=sql.Identifier(definition.new_key(inverse)),
            known_key=definition.key_expression(inverse, str(self._key_type(inverse))),
            condition=definition.condition(inverse, self.place),
        )
        return self.session.execute(statement).rowcount

    def _made(self, name: str, select: sql.Composable) -> bool:
        """Whether a view was made or renewed; columns and types are legacy's, so that it is replaced under who reads it."""
        text = select.as_string(self.session.connection)
        there, wanted = self._found, _comment(name, text)
        if name in there and not is_ours(there[name]):
            raise ViewsError(
                f"{self.place.views}.{name} is somebody else's: it lacks our comment. Rename it, and repeat."
            )
        if there.get(name) == wanted:
            return False
        view = sql.Identifier(self.place.views, name)
        create = "CREATE OR REPLACE VIEW {} WITH (security_barrier) AS {}"
        self.session.execute(sql.SQL(create).format(view, select))
        self.session.execute(sql.SQL("COMMENT ON VIEW {} IS {}").format(view, sql.Literal(wanted)))
        return True

    # --- check ----------------------------------------------------------------------------------------------------

    def problems(self) -> list[str]:
        """What is not as `install` leaves it, in sentences; empty where all is well."""
        found, said = self._found, []
        for name, select in self.definitions():
            if name not in found:
                said.append(f"{name} is not there")
            elif not is_ours(found[name]):
                said.append(f"{name} is somebody else's")
            elif found[name] != _comment(name, select.as_string(self.session.connection)):
                said.append(f"{name} is of another version, or of other tables")
        if not said:
            waiting = self._waiting()
            said += [f"{waiting} rows of the new application have no number yet, and are not shown"] if waiting else []
        return said

    def _waiting(self) -> int:
        """How many rows `install` would number."""
        with self.session.connection.transaction(force_rollback=True):
            return self._number()

    # --- remove ---------------------------------------------------------------------------------------------------

    def remove(self) -> tuple[str, ...]:
        """Drop the views of ours, their types and the schema, if nothing else is in it; returns the names of the views.

        The numbers stay: a view that is made again shows a row under the same key. Raises ViewsError when something of somebody
        else's depends on a view; then nothing is dropped.
        """
        schema = schema_of(self.source)
        found = self._found
        ours = sorted(name for name, comment in found.items() if is_ours(comment))
        try:
            with self.session.transaction():
                if ours:
                    views = sql.SQL(", ").join(sql.Identifier(schema, name) for name in ours)
                    self.session.execute(sql.SQL("DROP VIEW {}").format(views))
                self._drop_schema(schema, others=len(found) > len(ours))
        except psycopg.errors.DependentObjectsStillExist as error:
            raise ViewsError(
                f"something of others is built on views of {schema} (pg_depend names it). Drop it, and repeat; nothing was dropped."
            ) from error
        return tuple(ours)

    def _drop_schema(self, schema: str, *, others: bool) -> None:
        found = self.session.rows(SQL["schema"], {"schema": schema})
        if not found or not is_ours(found[0][0]):
            return
        if not others:
            for enum in _enums():
                self.session.execute(sql.SQL("DROP TYPE IF EXISTS {}").format(sql.Identifier(schema, str(enum.name))))
            self.session.execute(sql.SQL("DROP SCHEMA {}").format(sql.Identifier(schema)))
        for inverse in self.chosen.values():
            if inverse.keys is not None:
                self.session.execute(sql.SQL("DROP INDEX IF EXISTS {}").format(self.state.name(_index_name(inverse))))

    # --- what is there --------------------------------------------------------------------------------------------

    @property
    def _target(self) -> str:
        return self.state.target.schema

    @property
    def _found(self) -> dict[str, str | None]:
        """The views in the schema with what the catalogue says of them."""
        rows = self.session.rows(SQL["found"], {"schema": schema_of(self.source)})
        return {name: comment for name, kind, comment in rows if kind == "v"}

    @cached_property
    def _key_types(self) -> Mapping[str, str]:
        rows = self.session.rows(SQL["key_types"], {"schema": self.state.schema})
        return {str(name): str(kind) for name, kind in rows}

    def _key_type(self, inverse: Inverse) -> str | None:
        if missing := sorted(map_name(name) for name in inverse.maps if map_name(name) not in self._key_types):
            raise ViewsError(
                f"expected the maps that {inverse.name} is read by, found no {', '.join(missing)}: its tables were never loaded."
                " Run remoteiq-etl run first."
            )
        return None if inverse.keys is None else self._key_types[map_name(inverse.keys)]


def is_ours(comment: str | None) -> bool:
    """Whether a comment says that this program made what it is about."""
    return comment is not None and f" {_MARK}, " in comment


def _comment(name: str, select: str) -> str:
    digest = hashlib.sha256(select.encode()).hexdigest()[:12]
    return f"{name} as the legacy database has it, read from the redesign. {_MARK}, {digest}"


def _index_name(inverse: Inverse) -> str:
    return f"ix_{map_name(str(inverse.keys))}_{inverse.name}"[:63]


def _enums() -> Iterable[pg.ENUM]:
    found = {
        str(one.type.name): one.type
        for table in legacy.metadata.tables.values()
        for one in table.columns
        if isinstance(one.type, pg.ENUM)
    }
    return found.values()
