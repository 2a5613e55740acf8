"""What the legacy database has and no rule knows: it stops a run until it is accepted by name, and is archived then."""

from collections.abc import Iterator
from typing import Any

import pytest

from remoteiq_etl.backfill.context.report import Ledger
from remoteiq_etl.errors import DriftError
from remoteiq_etl.sensitive.keys import parse
from tests.support.drifting import ODD, Heard, run, settled
from tests.support.migrating import bare_target
from tests.support.server import Database, Server

ADA, GRACE = "c5000000-0000-4000-8000-000000000001", "c5000000-0000-4000-8000-000000000015"
QUOTED = '"' + ODD.replace('"', '""') + '"'
ODD_NAME = f"users.{QUOTED}"
SECRET = "hunter2-in-a-row"


@pytest.fixture
def target(server: Server) -> Iterator[Database]:
    database = bare_target(server)
    yield database
    database.drop()


def query(target: Database, statement: str) -> list[tuple[Any, ...]]:
    with target.connect() as connection:
        return connection.execute(statement.encode()).fetchall()


def archived(target: Database, table: str) -> list[tuple[Any, ...]]:
    """Key, column, value as text, withheld and whether sealed, of what was archived of one table under the rule."""
    with target.connect() as connection:
        return connection.execute(
            'SELECT legacy_key, "column", value::text, withheld, sealed IS NOT NULL FROM remoteiq_etl.legacy_archive'
            " WHERE legacy_table = %s AND rule = 'accepted_drift' ORDER BY 1, 2",
            [table],
        ).fetchall()


def test_an_extra_column_stops_a_run_before_anything_is_written(edge_db: Database, target: Database) -> None:
    edge_db.execute(
        f"ALTER TABLE users ADD {QUOTED} numeric, ADD b text NOT NULL DEFAULT ''; CREATE TABLE more (id int)"
    )
    with pytest.raises(DriftError) as refused:
        run(settled(edge_db, target), "organizations")
    for name in ("users.b", "more"):
        assert f"--accept-drift {name}:" in str(refused.value)
    assert f"--accept-drift '{ODD_NAME}':" in str(refused.value)
    assert query(target, "SELECT to_regnamespace('remoteiq_etl')") == [(None,)]
    assert query(target, "SELECT count(*) FROM organizations") == [(0,)]


def test_one_acceptance_is_not_another(edge_db: Database, target: Database) -> None:
    edge_db.execute("ALTER TABLE users ADD a int, ADD b int")
    with pytest.raises(DriftError) as refused:
        run(settled(edge_db, target, accept_drift=("users.a",)))
    assert "users.b" in str(refused.value)
    assert "users.a" not in str(refused.value)


def test_the_values_of_an_accepted_column_are_archived_under_their_row(edge_db: Database, target: Database) -> None:
    """With every digit, whatever the name; rows without a value have no entry. The account says how many."""
    edge_db.execute(
        f"ALTER TABLE users ADD {QUOTED} numeric, ADD born timestamptz;"
        f" UPDATE users SET {QUOTED} = 1.10, born = 'infinity' WHERE id = '{ADA}';"
        f" UPDATE users SET {QUOTED} = 1e400 WHERE id = '{GRACE}'"
    )
    reports = run(settled(edge_db, target), "organizations", accept=(ODD_NAME, "users.born"))
    assert archived(target, "users") == [
        (ADA, "born", '"infinity"', False, False),
        (ADA, ODD, "1.10", False, False),
        (GRACE, ODD, "1" + "0" * 400, False, False),
    ]
    account = reports["accepted_drift"].accounts["users"]
    assert (account.read, account.outcomes[Ledger.ARCHIVED], account.primary) == (2, 2, False)


def test_secrets_of_accepted_columns_are_withheld(edge_db: Database, target: Database) -> None:
    """By the name of the column, and within JSON by the name of the key; a column of a secret's name has no value at all."""
    edge_db.execute(
        "ALTER TABLE users ADD api_token text, ADD prefs json;"
        f' UPDATE users SET api_token = \'{SECRET}\', prefs = \'{{"size": 1.10, "smtp": {{"password": "{SECRET}"}}}}\''
        f" WHERE id = '{ADA}'"
    )
    run(settled(edge_db, target), accept=("users.api_token", "users.prefs"))
    assert archived(target, "users") == [
        (ADA, "api_token", None, True, False),
        (ADA, "prefs", '{"size": 1.10, "smtp": {"password": "[redacted]"}}', True, False),
    ]
    assert query(target, "SELECT warnings FROM remoteiq_etl.ledger") == [({"secret_withheld": 2},)]


def test_secrets_of_accepted_columns_are_sealed_with_a_key(edge_db: Database, target: Database) -> None:
    edge_db.execute(f"ALTER TABLE users ADD api_token text; UPDATE users SET api_token = '{SECRET}' WHERE id = '{ADA}'")
    keys = parse("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=", "the test")
    run(settled(edge_db, target, sealing_keys=keys), accept=("users.api_token",))
    assert archived(target, "users") == [(ADA, "api_token", None, False, True)]
    [(text,)] = query(target, "SELECT coalesce(string_agg(a::text, ''), '') FROM remoteiq_etl.legacy_archive AS a")
    assert SECRET not in text


@pytest.mark.every_postgres
def test_an_accepted_table_is_archived_row_by_row(edge_db: Database, target: Database) -> None:
    """Keyed by its primary key, and counted in the ledger as every primary row is."""
    edge_db.execute(
        f"CREATE TABLE {QUOTED} (region text, no int, {QUOTED} text, note json, PRIMARY KEY (no, region));"
        f" INSERT INTO {QUOTED} VALUES ('eu', 1, 'a', '{{\"token\": \"{SECRET}\"}}'), ('us', 1, NULL, '\"\\u0000\"')"
    )
    reports = run(settled(edge_db, target, batch_rows=1), accept=(QUOTED,))
    found = archived(target, ODD)
    assert [row[:2] for row in found] == [('["1","eu"]', "*"), ('["1","us"]', "*")]
    assert SECRET not in str(found)
    assert '"region": "eu"' in found[0][2]
    assert "u0000" in found[1][2]
    assert reports["accepted_drift"].accounts[ODD].primary
    ledger = (
        'SELECT table_name, legacy_table, batch, primary_rows, "read", outcomes FROM remoteiq_etl.ledger ORDER BY batch'
    )
    assert query(target, ledger) == [("accepted_drift", ODD, batch, True, 1, {"archived only": 1}) for batch in (1, 2)]


def test_rows_without_a_key_are_known_by_their_hash(edge_db: Database, target: Database) -> None:
    """Equal rows are as many in the archive as they were; a second run adds nothing."""
    edge_db.execute("CREATE TABLE more (a int, b text); INSERT INTO more VALUES (1, 'x'), (1, 'x'), (1, NULL)")
    migration = settled(edge_db, target)
    run(migration, accept=("more",))
    first = archived(target, "more")
    assert sorted(row[2] for row in first) == ['{"a": 1, "b": "x"}', '{"a": 1, "b": "x"}', '{"a": 1, "b": null}']
    assert sum("#2" in row[0] for row in first) == 1
    run(migration)
    assert archived(target, "more") == first


def test_a_key_that_is_a_secret_is_hashed(edge_db: Database, target: Database) -> None:
    edge_db.execute(f"CREATE TABLE more (access_token text PRIMARY KEY); INSERT INTO more VALUES ('{SECRET}')")
    run(settled(edge_db, target), accept=("more",))
    [(key, column, value, withheld, _)] = archived(target, "more")
    assert (len(key), column, value, withheld) == (32, "*", '{"access_token": "[redacted]"}', True)


def test_partitions_are_one_table_and_a_table_without_its_key_is_known_by_hash(
    edge_db: Database, target: Database
) -> None:
    edge_db.execute(
        "CREATE TABLE parted (id int) PARTITION BY LIST (id); CREATE TABLE part PARTITION OF parted DEFAULT;"
        " INSERT INTO parted VALUES (7); ALTER TABLE job_results DROP CONSTRAINT pk_job_results, ADD extra int DEFAULT 1"
    )
    run(settled(edge_db, target), accept=("parted", "job_results.extra"))
    assert [row[2] for row in archived(target, "parted")] == ['{"id": 7}']
    rows = archived(target, "job_results")
    assert rows
    assert {len(row[0].partition("#")[0]) for row in rows} == {32}


def test_an_acceptance_is_remembered_for_its_source(edge_db: Database, target: Database) -> None:
    """The next run needs no word, and archives what is new; something new stops it again."""
    edge_db.execute(f"ALTER TABLE users ADD a int; UPDATE users SET a = 1 WHERE id = '{ADA}'")
    migration = settled(edge_db, target)
    run(migration, accept=("users.a",))
    remembered = "SELECT name, kind, found, run_id, accepted_at IS NOT NULL FROM remoteiq_etl.accepted_drift"
    assert query(target, remembered) == [("users.a", "extra_column", "integer", 1, True)]
    edge_db.execute(f"UPDATE users SET a = 2 WHERE id IN ('{ADA}', '{GRACE}')")
    run(migration)
    assert [row[2] for row in archived(target, "users")] == ["2", "2"]
    with pytest.raises(DriftError):
        run(settled(edge_db, target, source="branch", organization_slug="branch"))
    edge_db.execute("ALTER TABLE users ADD b int")
    with pytest.raises(DriftError, match=r"--accept-drift users\.b:"):
        run(migration)
    edge_db.execute("ALTER TABLE users DROP a, DROP b")
    heard = Heard()
    run(migration, listener=heard)
    assert not [text for text in heard.warnings if "users.a" in text]
    assert len(archived(target, "users")) == 2


def test_a_plan_counts_and_remembers_nothing(edge_db: Database, target: Database) -> None:
    edge_db.execute("ALTER TABLE users ADD a int DEFAULT 1")
    reports = run(settled(edge_db, target), accept=("users.a",), planning=True)
    [(users,)] = query(edge_db, "SELECT count(*) FROM users")
    assert reports["accepted_drift"].total(Ledger.ARCHIVED) == users
    assert archived(target, "users") == []
    assert query(target, "SELECT count(*) FROM remoteiq_etl.accepted_drift") == [(0,)]


def test_a_name_that_nothing_has_is_said(edge_db: Database, target: Database) -> None:
    heard = Heard()
    run(settled(edge_db, target), accept=("users.shoesize",), listener=heard)
    assert [text for text in heard.warnings if text.endswith("users.shoesize")]


def test_what_may_not_be_read_whole_is_not_accepted(edge_db: Database, target: Database) -> None:
    """An archive of only some rows would pass for all of them."""
    reader = edge_db.select_only_role()
    edge_db.execute(
        f"CREATE TABLE more (id int); CREATE TABLE hidden (id int); GRANT SELECT ON hidden TO {reader};"
        " ALTER TABLE hidden ENABLE ROW LEVEL SECURITY"
    )
    with pytest.raises(DriftError) as refused:
        run(settled(edge_db, target, reader=reader), accept=("more", "hidden"))
    assert str(refused.value).count("GRANT SELECT") == 2


def test_schemas_may_have_any_name(server: Server) -> None:
    """Also the percent sign, which is a placeholder's beginning beside parameters."""
    database = server.clone("edge_odd", lambda made: made.execute("SELECT 1"))
    try:
        _build_odd(database)
        migration = settled(
            database, database, legacy_schema=ODD, target_schema=f"new {ODD}", state_schema=f"state {ODD}"
        )
        reports = run(migration, "organizations", "permissions", "roles", "users", accept=("users.a",))
        assert reports["users"].total(Ledger.INSERTED) == 1
        assert reports["accepted_drift"].total(Ledger.ARCHIVED) == 1
        database.execute(f"UPDATE {QUOTED}.users SET name = 'Grace'")
        again = run(migration, "organizations", "permissions", "roles", "users")
        assert again["users"].total(Ledger.UPDATED) == 1
    finally:
        database.drop()


def _build_odd(database: Database) -> None:
    from schemas import ddl
    from tests.support import schemas
    from tests.support.migrating import build_target

    with database.connect() as connection:
        schemas.run(connection, ddl.extension_ddl())
        schemas.build(connection, "legacy", ODD)
        connection.execute(
            f"ALTER TABLE {QUOTED}.users ADD a int DEFAULT 1;"
            f" INSERT INTO {QUOTED}.users (name, email, password_hash) VALUES ('Ada', 'ada@example.com', '100 %')".encode()
        )
    build_target(database, foreign_keys=True, schema=f"new {ODD}")
