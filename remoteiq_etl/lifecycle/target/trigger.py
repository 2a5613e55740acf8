"""The trigger function `set_updated_at` of the target and the triggers that call it.

Belongs here: making both, and telling which function may be replaced by ours without loss. The function's text is in
schemas/sql/.
"""

import re
from collections.abc import Iterable
from typing import Literal

from sqlalchemy import Table

from remoteiq_etl.errors import PrepareError
from remoteiq_etl.lifecycle.target.ownership import record_function
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.schema import State
from schemas import ddl

SQL = statements(__file__)

Outcome = Literal["created", "replaced", "kept", "absent"]

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
# These three are the same moment; clock_timestamp() is another.
_APPLICATION = re.compile(
    r"begin new\.updated_at ?:?= ?(now\( ?\)|current_timestamp|transaction_timestamp\( ?\)) ?; return new ?; end ?;?"
)


def ensure_function(session: Session, state: State, schema: str, *, needed: bool) -> Outcome:
    """Make sure that `set_updated_at` keeps a given time when asked; create it when it is missing and `needed`.

    What it was before is kept in the state schema. Raises PrepareError when it does more than ours would.
    """
    rows = session.rows(SQL["trigger_function"], {"schema": schema})
    if not rows and not needed:
        return "absent"
    source, definition = rows[0] if rows else (None, None)
    if source is not None and ddl.PRESERVE_SETTING in source:
        return "kept"
    if source is not None and not sets_updated_at_only(source):
        raise _does_more(schema)
    record_function(session, state, schema, definition)
    _execute(session, ddl.set_updated_at_ddl(schema))
    return "created" if source is None else "replaced"


def sets_updated_at_only(source: str) -> bool:
    """Tell whether the body of a function in PL/pgSQL sets `updated_at` to now() and does nothing else."""
    bare = " ".join(_COMMENT.sub(" ", source).split()).lower()
    return _APPLICATION.fullmatch(bare) is not None


def ensure_triggers(session: Session, schema: str, tables: Iterable[Table]) -> None:
    """Put the trigger on each of the tables that should have it and has not."""
    present = tables_with_trigger(session, schema)
    for table in tables:
        if table.name not in present:
            _execute(session, ddl.trigger_ddl(table, schema))


def tables_with_trigger(session: Session, schema: str) -> frozenset[str]:
    """Return the tables of the schema on which its `set_updated_at` runs before each update."""
    return frozenset(row[0] for row in session.rows(SQL["tables_with_trigger"], {"schema": schema}))


def _execute(session: Session, statements: Iterable[str]) -> None:
    for statement in statements:
        session.execute(statement)


def _does_more(schema: str) -> PrepareError:
    return PrepareError(
        f"the function set_updated_at() of schema {schema!r} should set updated_at to now() and do no more, but does."
        " It would overwrite the times that are to be preserved, and replacing it would take the rest away from the"
        " application. Nothing was changed. Let it begin with"
        f" \"IF current_setting('{ddl.PRESERVE_SETTING}', true) = 'on' THEN RETURN NEW; END IF;\", then repeat."
    )
