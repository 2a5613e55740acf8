"""Values for columns that only a running installation has: which of them its types do not take.

Belongs here: finding such values among the staged rows before they are compared. Does not belong here: what becomes of
their rows (see commit).
"""

import re
from collections import defaultdict
from collections.abc import Mapping

import psycopg
from psycopg import sql
from sqlalchemy import Column

from remoteiq_etl.backfill.load.merge_statements import Merge
from remoteiq_etl.frames.dtypes import cast_type
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.errors.faults import classes_not_about_rows
from remoteiq_etl.postgres.errors.row_errors import is_about_rows
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)

#: An explicit cast to these cuts what is too long, and says nothing.
_LIMITED = re.compile(r"(?:character|bit)(?: varying)?\((\d+)\)")


def refuse_type_errors(session: Session, merge: Merge) -> Mapping[int, list[str]]:
    """The columns, by row of the stage, whose staged text is no value of their type; it becomes null in the stage.

    Needs a transaction. Usually all are, and one cast of each column says so.
    """
    refused: dict[int, list[str]] = defaultdict(list)
    for name in merge.stage.columns:
        column = merge.spec.target.columns[name]
        if "cast" in column.info and not _all_fit(session, merge, column):
            session.execute(SQL["fits"].format(not_about_rows=sql.Literal(sorted(classes_not_about_rows()))))
            for (row,) in session.rows(SQL["uncastable"].format(**_names(merge, column))):
                refused[int(row)].append(name)
    return refused


def _all_fit(session: Session, merge: Merge, column: Column[object]) -> bool:
    try:
        with session.transaction():
            return bool(session.value(SQL["all_fit"].format(**_names(merge, column))))
    except psycopg.Error as error:  # not of the type, or a domain's check, whatever that raises
        if not is_about_rows(error):
            raise
        return False


def _names(merge: Merge, column: Column[object]) -> dict[str, sql.Composable]:
    kind = cast_type(column)
    limit = _LIMITED.fullmatch(kind)
    value = sql.SQL("s.{}").format(sql.Identifier(column.name))
    too_long = sql.SQL("char_length({}) > {}").format(value, sql.Literal(int(limit[1]))) if limit else sql.SQL("false")
    return {
        "stage": merge.stage.identifier,
        "column": sql.Identifier(column.name),
        "value": value,
        "type": sql.SQL(kind),
        "type_text": sql.Literal(kind),
        "too_long": too_long,
    }
