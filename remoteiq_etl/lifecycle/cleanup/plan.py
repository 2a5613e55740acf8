"""Which objects of a schema are dropped, in which order, and what stands in the way: what depends on them and is not theirs.

Nothing is dropped with CASCADE: an object goes after all that depends on it, and what depends on it and is somebody else's
refuses the whole. Belongs here: that, from the catalogue. Does not belong here: when it may be done, doing it (see execute).
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import sql

from remoteiq_etl.errors import CleanupError
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from schemas import ddl, legacy

SQL = statements(__file__)

VIEWS = frozenset({"roles_with_meta"})
FUNCTIONS = frozenset({"select_all_tables"})
"""What the legacy application has besides its tables."""
_TABLES = frozenset(table.name for table in legacy.metadata.sorted_tables)
_TYPES = frozenset(str(enum.name) for enum in ddl.enums_of(legacy.metadata))

Place = tuple[int, int]
"""An object as the catalogue knows it: oids of its catalogue and of itself."""


@dataclass(frozen=True)
class DatabaseObject:
    """One object that can be dropped by itself. `arguments` tell functions of one name apart."""

    place: Place
    kind: str
    schema: str
    name: str
    arguments: str | None = None

    def __str__(self) -> str:
        """Kind and name."""
        return f"{self.kind.lower()} {self._named()}"

    @property
    def drop(self) -> str:
        """The statement that drops it if nothing depends on it."""
        return f"DROP {self.kind} {self._named()} RESTRICT"

    def _named(self) -> str:
        name = sql.Identifier(self.schema, self.name).as_string(None)
        return name if self.arguments is None else f"{name}({self.arguments})"


@dataclass(frozen=True)
class Dependence:
    """An object (`on`) that another (`by`) depends on: what of it does, and the foreign key (table, name) that it is."""

    on: Place
    by: Place
    what: str
    foreign_key: tuple[str, str] | None


@dataclass(frozen=True)
class DropPlan:
    """What is dropped, as statements in order; what stays in the schema; what depends on what is dropped, and is not."""

    schema: str
    objects: Sequence[DatabaseObject]
    statements: Sequence[str]
    stays: Sequence[DatabaseObject]
    blockers: Sequence[str]

    def raise_if_blocked(self) -> None:
        """Raise CleanupError that names everything in the way."""
        if self.blockers:
            lines = "\n".join(f"  {line}" for line in self.blockers)
            raise CleanupError(
                f"other objects depend on what is to be dropped of the schema {self.schema}:\n{lines}\nNothing was dropped. Drop"
                " them or let them depend on the new tables, then repeat."
            )


def plan_legacy(session: Session, schema: str) -> DropPlan:
    """What of the legacy schema goes: tables, the view and function of the application, and what only these use."""
    with _qualified(session):
        return _plan_legacy(session, schema)


def _plan_legacy(session: Session, schema: str) -> DropPlan:
    found = _objects(session, schema)
    tables = [one for one in found if one.kind == "TABLE" and one.name in _TABLES]
    oids = [one.place[1] for one in tables]
    used = {
        oid
        for name in ("trigger_functions", "used_sequences")
        for oid, only_here in session.rows(SQL[name].format(), {"oids": oids})
        if only_here
    }

    def goes(one: DatabaseObject) -> bool:
        return one in tables or one.place[1] in used or _is_named(one)

    return _planned(session, schema, found, goes)


def plan_whole(session: Session, schema: str) -> DropPlan:
    """A schema of ours with all that is in it."""
    with _qualified(session):
        plan = _planned(session, schema, _objects(session, schema), lambda _one: True)
    drop = sql.SQL("DROP SCHEMA {} RESTRICT").format(sql.Identifier(schema)).as_string(None)
    return DropPlan(schema, plan.objects, [*plan.statements, drop], (), plan.blockers)


def fingerprint(session: Session, schema: str) -> str:
    """A text that is another whenever anything of a schema's catalogue is another."""
    with _qualified(session):
        found: str = session.value(SQL["fingerprint"].format(), {"schema": _quoted(schema)})
    return found


@contextmanager
def _qualified(session: Session) -> Iterator[None]:
    """The server prints the names of all but its own objects with their schema, whatever else is there or goes."""
    with session.transaction():
        session.execute("SET LOCAL search_path TO pg_catalog")
        yield


def _is_named(one: DatabaseObject) -> bool:
    kinds = {"VIEW": VIEWS, "FUNCTION": FUNCTIONS, "TYPE": _TYPES}
    return one.name in kinds.get(one.kind, frozenset())


def _objects(session: Session, schema: str) -> list[DatabaseObject]:
    if not session.value("SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = %s)", [schema]):
        return []
    rows = session.rows(SQL["objects"].format(), {"schema": _quoted(schema)})
    return [DatabaseObject((catalogue, oid), kind, schema, name, more) for catalogue, oid, kind, name, more in rows]


def _planned(
    session: Session, schema: str, found: Sequence[DatabaseObject], goes: Callable[[DatabaseObject], bool]
) -> DropPlan:
    dropped = {one.place: one for one in found if goes(one)}
    edges = list(_dependences(session, list(dropped)))
    blockers = [f"{edge.what} (on {dropped[edge.on]})" for edge in edges if edge.by not in dropped]
    inner = [edge for edge in edges if edge.by in dropped]
    stays = [one for one in found if one.place not in dropped]
    return DropPlan(schema, list(dropped.values()), list(_ordered(dropped, inner)), stays, sorted(set(blockers)))


def _dependences(session: Session, places: Collection[Place]) -> Iterator[Dependence]:
    parameters = {"classes": [place[0] for place in places], "oids": [place[1] for place in places]}
    for row in session.rows(SQL["dependents"].format(), parameters):
        on, by, what, table, name = (row[0], row[1]), (row[2], row[3]), row[4], row[5], row[6]
        yield Dependence(on, by, what, None if name is None else (table, name))


def _ordered(objects: dict[Place, DatabaseObject], edges: Sequence[Dependence]) -> Iterator[str]:
    """Statements in an order in which each can be executed; foreign keys that go in a circle go by themselves first."""
    left, edges = dict(objects), list(edges)
    while left:
        needed = {edge.on for edge in edges if edge.by in left}
        free = [place for place in left if place not in needed]
        if not free:
            circle = [edge for edge in edges if edge.foreign_key and edge.on in left and edge.by in left]
            if not circle:
                raise CleanupError(f"objects depend on each other in a circle: {', '.join(map(str, left.values()))}.")
            yield from sorted({_without(edge.foreign_key) for edge in circle if edge.foreign_key})
            edges = [edge for edge in edges if edge not in circle]
        for place in free:
            yield left.pop(place).drop


def _without(foreign_key: tuple[str, str]) -> str:
    table, name = foreign_key  # the table is quoted where need be
    return f"ALTER TABLE {table} DROP CONSTRAINT {sql.Identifier(name).as_string(None)}"


def _quoted(schema: str) -> str:
    return sql.Identifier(schema).as_string(None)
