"""The harness itself: what every other test relies on."""

import psycopg
import pytest

from tests.support.server import Database, Server


def test_legacy_tables_are_there_and_a_reader_may_only_read(legacy_db: Database) -> None:
    role = legacy_db.select_only_role()
    with legacy_db.connect(role=role) as connection:
        assert connection.execute("SELECT count(*) FROM agents").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM agents")


def test_a_clone_does_not_see_another_ones_rows(server: Server) -> None:
    def build(database: Database) -> None:
        database.execute("CREATE TABLE t (n integer)")

    first, second = server.clone("harness", build), server.clone("harness", build)
    first.execute("INSERT INTO t VALUES (1)")
    with second.connect() as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
    first.drop()
    second.drop()


def test_the_edge_cases_are_loaded(edge_db: Database) -> None:
    with edge_db.connect() as connection:
        assert connection.execute("SELECT count(*) > 0 FROM agents").fetchone() == (True,)


@pytest.mark.every_postgres
def test_every_version_found_runs(server: Server, target_db: Database) -> None:
    with target_db.connect() as connection:
        assert connection.info.server_version // 10000 == server.major
        assert connection.execute("SELECT 'A'::citext = 'a'").fetchone() == (True,)
