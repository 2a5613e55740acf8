"""The reporting views in a target: which are to be made or renewed, making them, dropping those of ours.

A view is touched only where it is missing or another version of it is there, so that nobody who reads it waits for us. Belongs
here: that. Does not belong here: the views themselves (schemas/views.py).
"""

from dataclasses import dataclass

import psycopg
from psycopg import sql

from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.errors.failures import brief
from remoteiq_etl.postgres.statements import statements
from schemas.views import REPORTS, ReportView, is_ours

SQL = statements(__file__)

LOCK_TIMEOUT = "3s"
"""As for constraints: who reads the view before us is waited for, and everybody else behind us."""


@dataclass(frozen=True)
class ViewsMade:
    """The views made or renewed, by name, and in sentences why others were not."""

    made: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def make_views(session: Session, schema: str) -> ViewsMade:
    """Make or renew the reporting views whose tables are there, each in a transaction of its own.

    What keeps one from being made is a remark, no error: it keeps no row from being where it belongs.
    """
    found = _found(session, schema)
    due = [view for view in _possible(session, schema) if _is_due(found, view)]
    if due and session.value(SQL["may_create"], {"schema": schema}) is not True:
        why = f"{len(due)} reporting views cannot be made: the role may not create in the schema {schema!r}; GRANT CREATE on it"
        return ViewsMade(remarks=(why,))
    made, remarks = [], []
    for view in due:
        try:
            _make(session, schema, view, is_there=view.name in found)
            made.append(view.name)
        except psycopg.Error as error:
            if session.connection.closed:
                raise
            remarks.append(f"the reporting view {view.name} cannot be made: {brief(error)}")
    return ViewsMade(tuple(made), (*remarks, *_others(found)))


def drop_views(session: Session, schema: str) -> tuple[str, ...]:
    """Drop the reporting views that this program made, in the transaction of the caller; returns their names."""
    ours = sorted(name for name, (kind, comment) in _found(session, schema).items() if kind == "v" and is_ours(comment))
    for name in ours:
        session.execute(sql.SQL("DROP VIEW {}").format(sql.Identifier(schema, name)))
    return tuple(ours)


def _found(session: Session, schema: str) -> dict[str, tuple[str, str | None]]:
    rows = session.rows(SQL["found"], {"schema": schema, "names": [view.name for view in REPORTS]})
    return {name: (kind, comment) for name, kind, comment in rows}


def _possible(session: Session, schema: str) -> list[ReportView]:
    tables = {row[0] for row in session.rows(SQL["tables"], {"schema": schema})}
    return [view for view in REPORTS if tables.issuperset(view.tables)]


def _is_due(found: dict[str, tuple[str, str | None]], view: ReportView) -> bool:
    if view.name not in found:
        return True
    _, comment = found[view.name]
    return is_ours(comment) and comment != view.comment


def _others(found: dict[str, tuple[str, str | None]]) -> list[str]:
    return [
        f"{name} is somebody else's and stays: the reporting view of this name is not made"
        for name, (_, comment) in sorted(found.items())
        if not is_ours(comment)
    ]


def _make(session: Session, schema: str, view: ReportView, *, is_there: bool) -> None:
    with session.transaction():
        session.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_TIMEOUT))
        if is_there:  # it may have had other columns, or these in another order
            session.execute(sql.SQL("DROP VIEW {}").format(sql.Identifier(schema, view.name)))
        for statement in view.ddl(schema):
            session.execute(statement)
