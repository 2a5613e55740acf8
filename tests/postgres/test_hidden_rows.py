"""Which tables hide rows from the connected role, and the sentence about them."""

from contextlib import closing

import pytest

from remoteiq_etl.errors import DriftError
from remoteiq_etl.postgres.database import Database as EngineDatabase
from remoteiq_etl.postgres.session_checks import hidden_rows, refuse_hidden_rows
from tests.support.server import Database


def test_a_table_hides_rows_from_whom_its_policy_binds(empty_db: Database) -> None:
    """Not from a superuser, and not where row security is switched on for another table."""
    empty_db.execute(
        'CREATE SCHEMA "Odd"; CREATE TABLE shown (id int); CREATE TABLE "Odd".hiding (id int);'
        ' ALTER TABLE "Odd".hiding ENABLE ROW LEVEL SECURITY'
    )
    role = empty_db.select_only_role("public", "Odd")
    with closing(EngineDatabase(empty_db.url_as(role), "public").connect()) as session:
        assert hidden_rows(session.connection, "public") == {}
        assert hidden_rows(session.connection, "Odd") == {"hiding": role}
        refuse_hidden_rows(session, "public")
        with pytest.raises(DriftError, match=rf'hides rows of "Odd"."hiding" from the role {role}.*"{role}" BYPASSRLS'):
            refuse_hidden_rows(session, "public", "Odd")
    with closing(EngineDatabase(empty_db.url, "public").connect()) as session:
        refuse_hidden_rows(session, "public", "Odd")
