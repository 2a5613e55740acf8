"""The scratch target of a rehearsal: where it is made, and that it goes afterwards.

The database of REMOTEIQ_REHEARSAL_URL, which must be empty and is emptied again; else a new one on the target's server, where
the role may create databases; else one on the bundled server. Belongs here: these three. Does not belong here: what is done in it.
"""

import contextlib
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from psycopg import sql

from remoteiq_etl.bundled_server import databases
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.config.urls import libpq_url
from remoteiq_etl.errors import RehearsalError
from remoteiq_etl.postgres.database import Database
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)

_URL = re.compile(r"(?P<server>postgres(?:ql)?://[^/?]*)(?:/[^?]*)?(?P<options>\?.*)?", re.DOTALL)


@dataclass(frozen=True)
class Scratch:
    """A database that is empty. `about`: where it is, in words, without any part of a URL but its name."""

    database: Database
    about: str


@contextlib.contextmanager
def scratch(settings: Settings, target: Database, *, keep: bool = False) -> Iterator[Scratch]:
    """A scratch target as long as the context is open; `keep` leaves it.

    Raises RehearsalError when the database that was named is not empty, or none can be made.
    """
    if settings.rehearsal_url:
        found = Database(libpq_url(settings.rehearsal_url), settings.target_schema)
        with _named(found, settings, keep=keep) as made:
            yield made
        return
    if settings.target_url and _may_create(target):
        with _created(target, "the target's server", keep=keep) as made:
            yield made
        return
    # The bundled server runs as long as somebody uses it, also where both databases of the migration are elsewhere.
    bundled = settings.model_copy(update={"target_url": None})
    with (
        databases.databases(bundled) as both,
        _created(Database(both.target, settings.target_schema), "the bundled server", keep=keep) as made,
    ):
        yield made


def with_name(url: str, name: str) -> str:
    """The URL of another database of the same server. The name has letters, digits and underscores only."""
    parts = _URL.fullmatch(url)
    if parts is None:
        raise RehearsalError("the URL of the target is not of the form postgresql://…: set REMOTEIQ_REHEARSAL_URL.")
    options = re.sub(r"(?<=[?&])dbname=[^&]*&?", "", parts["options"] or "")
    return f"{parts['server']}/{name}{options}"


def _may_create(target: Database) -> bool:
    with contextlib.closing(target.connect()) as session:
        return bool(session.value(SQL["may_create"]))


@contextlib.contextmanager
def _created(beside: Database, where: str, *, keep: bool) -> Iterator[Scratch]:
    name = f"remoteiq_rehearsal_{secrets.token_hex(4)}"
    with contextlib.closing(beside.connect()) as session:
        try:
            # Of template0, so that nothing of another template lies in it.
            session.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        except psycopg.Error as error:
            raise RehearsalError(
                f"no scratch database could be created on {where} ({error.sqlstate}): name an empty one,"
                " REMOTEIQ_REHEARSAL_URL."
            ) from error
    try:
        yield Scratch(Database(with_name(beside.url, name), beside.schema), f"database {name} on {where}")
    finally:
        if not keep:
            with contextlib.closing(beside.connect()) as session:
                session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextlib.contextmanager
def _named(found: Database, settings: Settings, *, keep: bool) -> Iterator[Scratch]:
    schemas = {"schemas": [found.schema, settings.state_schema]}
    with contextlib.closing(found.connect()) as session:
        name = session.value("SELECT current_database()")
        if relations := session.value(SQL["relations"], schemas):
            raise RehearsalError(
                f"the database {name} of REMOTEIQ_REHEARSAL_URL is not empty: {relations} tables or views are in"
                f" {found.schema} or {settings.state_schema}. Name one for rehearsals alone, and empty it. Nothing was changed."
            )
    try:
        yield Scratch(found, f"database {name} of REMOTEIQ_REHEARSAL_URL")
    finally:
        if not keep:
            with contextlib.closing(found.connect()) as session, session.transaction():
                for (statement,) in session.rows(SQL["emptying"], schemas):
                    session.execute(sql.SQL(statement).format())
