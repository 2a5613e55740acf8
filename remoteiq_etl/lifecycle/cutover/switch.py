"""The switch: from one statement to the next the new application finds its tables where it looks for them.

Two schemas of one database are renamed in one transaction: that of the target gets the name of the legacy one, which gets
another. Of two databases the operator's command, or the operator, changes the connection. Belongs here: both, and the way
back. Does not belong here: when (see execute, back), what our own state calls the schemas (see names).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg import sql

from remoteiq_etl.config.cutover import CutOverSettings
from remoteiq_etl.config.urls import connection_parameters
from remoteiq_etl.errors import CutOverError
from remoteiq_etl.lifecycle.cutover import hooks
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)

_PAUSE = 1.0
"""Seconds between two attempts, in which the queue behind us drains."""
_SUFFIX = "_legacy"
_LONGEST = 63  # bytes of a name
_BUSY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)


@dataclass(frozen=True)
class SchemaNames:
    """Two schemas of one database before and after the switch, each known by its oid, too. `extensions`: those that lie in the
    legacy schema and stay where the application looks for their types and operators.
    """

    legacy: str
    target: str
    legacy_after: str
    legacy_oid: int
    target_oid: int
    extensions: tuple[str, ...] = ()

    @property
    def target_after(self) -> str:
        """The name under which the new application finds its tables."""
        return self.legacy

    def as_json(self) -> dict[str, Any]:
        """For the record."""
        return asdict(self)

    @classmethod
    def of_json(cls, found: Mapping[str, Any]) -> "SchemaNames":
        """From the record."""
        return cls(**{**found, "extensions": tuple(found["extensions"])})


def survey(admin: Session, legacy: str, target: str) -> SchemaNames:
    """What will be renamed. Raises CutOverError when it cannot be."""
    after = _shortened(legacy) + _SUFFIX
    oids = {name: _own_schema(admin, name) for name in (legacy, target)}
    if admin.rows(SQL["schema"].format(), {"schema": after}):
        raise CutOverError(
            f"the schema {legacy} is to be called {after}, and there is one of that name. Rename or drop it."
        )
    if not admin.value("SELECT has_database_privilege(current_database(), 'CREATE')"):
        raise CutOverError(
            "schemas cannot be renamed without the right CREATE on the database. GRANT it to the admin's role."
        )
    found = admin.rows(SQL["extensions"].format(), {"schema": legacy})
    if fixed := [name for name, movable in found if not movable]:
        raise CutOverError(
            f"the extension {', '.join(fixed)} lies in the schema {legacy} and cannot be moved out of it: the new application"
            " would not find it. Make it in another schema."
        )
    return SchemaNames(legacy, target, after, oids[legacy], oids[target], tuple(name for name, _ in found))


def is_switched(admin: Session, names: SchemaNames) -> bool:
    """Whether the schemas have their later names, told by their oids."""
    found: str | None = admin.value(SQL["name_of"].format(), {"oid": names.legacy_oid})
    return found == names.legacy_after


def switch_schemas(admin: Session, names: SchemaNames, settings: CutOverSettings) -> None:
    """Rename both in one transaction, behind locks on all of their tables. Raises CutOverError when these are not to be had."""

    def rename() -> None:
        _lock(admin, names.legacy, names.target)
        _rename(admin, names.legacy, names.legacy_after)
        _rename(admin, names.target, names.target_after)
        _move(admin, names.extensions, names.target_after)

    _patiently(admin, rename, settings)


def switch_schemas_back(admin: Session, names: SchemaNames, settings: CutOverSettings) -> None:
    """Give both their names back; nothing where they have them."""
    if not is_switched(admin, names):
        return

    def rename() -> None:
        _lock(admin, names.legacy_after, names.target_after)
        _rename(admin, names.target_after, names.target)
        _rename(admin, names.legacy_after, names.legacy)
        _move(admin, names.extensions, names.legacy)

    _patiently(admin, rename, settings)


def connection_facts(target: Database) -> dict[str, str]:
    """Where the new application finds its tables, as settings without a password."""
    parameters = connection_parameters(target.url)
    shown = {"host": "host", "hostaddr": "hostaddr", "port": "port", "dbname": "database"}
    return {ours: parameters[name] for name, ours in shown.items() if name in parameters} | {"schema": target.schema}


def call_hook(target: Database, settings: CutOverSettings, word: str) -> None:
    """Let the operator's command change the connection; nothing where there is none. Raises CutOverError."""
    if settings.switch_hook:
        facts = {f"new_{name}": value for name, value in connection_facts(target).items()}
        hooks.call(settings.switch_hook, word, settings.hook_seconds, facts)


def _patiently(admin: Session, rename: Callable[[], None], settings: CutOverSettings) -> None:
    for attempt in range(1, settings.attempts + 1):
        try:
            with admin.transaction():
                timeout = sql.Literal(f"{round(settings.lock_seconds * 1000)}ms")
                admin.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(timeout))
                rename()
            return
        except _BUSY as error:
            if attempt == settings.attempts:
                raise CutOverError(
                    f"the tables of both schemas were not to be had for {settings.attempts} times {settings.lock_seconds:g}"
                    f" seconds: {error}"
                ) from error
            time.sleep(_PAUSE)
        except psycopg.Error as error:
            raise CutOverError(f"the schemas cannot be renamed: {error.diag.message_primary}.") from error


def _lock(admin: Session, *schemas: str) -> None:
    """Wait for whoever is at work on the tables: nobody sees the one schema renamed and not the other."""
    tables = [
        sql.Identifier(schema, name)
        for schema in schemas
        for (name,) in admin.rows(SQL["tables"].format(), {"schema": schema})
    ]
    if tables:
        admin.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.SQL(", ").join(tables)))


def _rename(admin: Session, name: str, to: str) -> None:
    admin.execute(sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(to)))


def _move(admin: Session, extensions: tuple[str, ...], schema: str) -> None:
    for name in extensions:
        admin.execute(sql.SQL("ALTER EXTENSION {} SET SCHEMA {}").format(*map(sql.Identifier, (name, schema))))


def _own_schema(admin: Session, schema: str) -> int:
    rows = admin.rows(SQL["schema"].format(), {"schema": schema})
    if not rows:
        raise CutOverError(
            f"the database has no schema {schema}: see REMOTEIQ_LEGACY_SCHEMA and REMOTEIQ_TARGET_SCHEMA."
        )
    oid, own = rows[0]
    if not own:
        raise CutOverError(
            f"the schema {schema} belongs to another role, so it cannot be renamed. Set REMOTEIQ_LEGACY_ADMIN_URL to a connection"
            " as its owner, or as a superuser."
        )
    return int(oid)


def _shortened(name: str) -> str:
    return name.encode()[: _LONGEST - len(_SUFFIX)].decode(errors="ignore")
