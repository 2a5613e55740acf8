"""The views over the maps that people and other programs query: one per target table, and one over all of them.

Their names and columns are a promise; new columns come last, so that a view is replaced under those who use it. Belongs
here: making them, and what the catalogue says of them. Does not belong here: the maps themselves (see state).
"""

from collections.abc import Iterable, Mapping

import psycopg
from psycopg import sql

from remoteiq_etl.errors import StateVersionError
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from schemas.state.base import LEGACY_KEY, LEGACY_TABLE
from schemas.state.maps import STATES, map_name, view_name

SQL = statements(__file__)

ALL = "map_all"
COLUMNS: Mapping[str, str] = {
    "legacy_table": LEGACY_TABLE,
    "legacy_key": LEGACY_KEY,
    "new_key": "primary key of the target row, of several columns a JSON array; null while only a decision is recorded",
    "rule": "how the key came about: kept, derived, adopted, the rule of a decision, or why it was merged",
    "first_run": "run that made this entry",
    "last_run": "last run that changed it",
    "state": STATES,
    "source": "legacy database, by its name: sources.name",
}
_ENTITY = {"entity": "target table"}


def make_views(session: Session, schema: str, entities: Iterable[str], among: Iterable[str]) -> None:
    """Make or replace the views of these target tables, and the one over all (`among`) that have a map.

    Needs a transaction. Raises StateVersionError when a view of an older program must go and something depends on it.
    """
    for entity in entities:
        select = _select(schema, entity, "map_view")
        _replace(session, schema, view_name(entity), select)
        comment = f"Which legacy row became which row of {entity}"
        _say(session, schema, view_name(entity), comment, COLUMNS)
    parts = [_select(schema, entity, "part") for entity in sorted(among)] or [SQL["none"]]
    _replace(session, schema, ALL, sql.SQL("\nUNION ALL\n").join(parts))
    _say(session, schema, ALL, "Which legacy row became which target row; both keys as text", {**_ENTITY, **COLUMNS})


def _select(schema: str, entity: str, query: str) -> sql.Composable:
    return SQL[query].format(
        map=sql.Identifier(schema, map_name(entity)),
        sources=sql.Identifier(schema, "sources"),
        entity=sql.Literal(entity),
    )


def _replace(session: Session, schema: str, name: str, select: sql.Composable) -> None:
    """Replace a view in place, so that grants and what is built on it stay; one with other columns is made anew."""
    view = sql.Identifier(schema, name)
    create = sql.SQL("CREATE OR REPLACE VIEW {} AS\n{}").format(view, select)
    try:
        with session.transaction():
            session.execute(create)
    except psycopg.errors.InvalidTableDefinition:
        _drop(session, schema, name)
        session.execute(create)


def _drop(session: Session, schema: str, name: str) -> None:
    try:
        session.execute(sql.SQL("DROP VIEW {}").format(sql.Identifier(schema, name)))
    except psycopg.errors.DependentObjectsStillExist as error:
        raise StateVersionError(
            f"the view {schema}.{name} has columns of another version and must be made anew, but views or functions of"
            f" others are built on it. Drop them (\\d+ {schema}.{name} and pg_depend name them), repeat, and make them again."
        ) from error


def _say(session: Session, schema: str, name: str, comment: str, columns: Mapping[str, str]) -> None:
    statements = [sql.SQL("COMMENT ON VIEW {} IS {}").format(sql.Identifier(schema, name), sql.Literal(comment))]
    statements += [
        sql.SQL("COMMENT ON COLUMN {} IS {}").format(sql.Identifier(schema, name, column), sql.Literal(text))
        for column, text in columns.items()
    ]
    session.execute(sql.SQL(";\n").join(statements))
