"""Tables of which a policy of row security hides rows from the connected role.

Every session has `row_security = off`, so the server refuses to read such a table; here it is asked before anything is
written. Belongs here: the question and its sentence. Does not belong here: which tables are asked about.
"""

import psycopg
from psycopg import sql

from remoteiq_etl.errors import DriftError
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)


def hidden_rows(connection: psycopg.Connection, schema: str) -> dict[str, str]:
    """The tables of a schema that show the role less than they have, each with the name of the role."""
    return dict(connection.execute(SQL["hidden"].as_string(None).encode(), {"schema": schema}).fetchall())


def refuse_hidden_rows(session: Session, *schemas: str) -> None:
    """Raise DriftError where a table of these schemas hides rows: they would be taken for deleted."""
    found = [
        (sql.Identifier(schema, table).as_string(None), role)
        for schema in schemas
        for table, role in hidden_rows(session.connection, schema).items()
    ]
    if found:
        tables, role = ", ".join(table for table, _ in found), found[0][1]
        raise DriftError(
            f"row security hides rows of {tables} from the role {role}, and rows that are not shown would be taken for deleted."
            f" Nothing was written. Let a superuser say ALTER ROLE {sql.Identifier(role).as_string(None)} BYPASSRLS, or connect"
            " as the owner of the tables while they have no FORCE ROW LEVEL SECURITY."
        )
