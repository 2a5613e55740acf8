"""`doctor --sql`: what it prints is run on a real server, and the whole migration with the roles that it makes."""

import json

import pytest

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.rights import rights_script
from schemas import ddl, target
from tests.cli.conftest import Cli as Cli
from tests.cli.conftest import cli as cli  # a fixture
from tests.support.server import Database

READER, WRITER, ADMINISTRATOR, APPLICATION = 'etl "reader"', "ETL-Writer", "etl admin", "rights_application"


def settings(legacy: Database, target_db: Database) -> Settings:
    """With names that must be quoted; in the URLs they are percent-encoded."""
    urls = {"REMOTEIQ_LEGACY_URL": (legacy, READER), "REMOTEIQ_TARGET_URL": (target_db, WRITER)}
    urls["REMOTEIQ_LEGACY_ADMIN_URL"] = (legacy, ADMINISTRATOR)
    return Settings.load({name: database.url_as(role) for name, (database, role) in urls.items()})


@pytest.fixture
def legacy(edge_db: Database) -> Database:
    """A legacy database that belongs to its application, whose server gives nobody more than needed."""
    edge_db.execute(
        f"""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APPLICATION}') THEN CREATE ROLE {APPLICATION}; END IF;
        END $$;
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
        ALTER TABLE users OWNER TO {APPLICATION};
        """
    )
    return edge_db


def test_the_whole_migration_runs_with_the_roles_that_the_script_makes(
    cli: Cli, legacy: Database, empty_db: Database
) -> None:
    """And each may do no more: the reader is not warned of, the administrator is no superuser."""
    empty_db.execute(
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC; REVOKE ALL ON DATABASE " + empty_db.name + " FROM PUBLIC"
    )
    chosen = settings(legacy, empty_db)
    for _ in range(2):  # it may be repeated
        legacy.execute(rights_script(chosen).legacy)
        empty_db.execute(rights_script(chosen).target)
    urls = {"legacy": legacy.url_as(READER), "target": empty_db.url_as(WRITER)}
    doctor = cli("doctor", **urls)
    assert (doctor.code, "SELECT alone" in doctor.out, "the target takes it" in doctor.out) == (0, True, True), (
        doctor.out
    )
    ran = cli("run", **urls)
    assert ran.code == 3, ran.err
    verified = cli("verify", **urls)
    assert verified.code == 0, verified.out
    assert cli("finalize", **urls).code == 0
    with legacy.connect(role=ADMINISTRATOR) as connection:
        query = f"SELECT rolsuper, pg_has_role('{APPLICATION}', 'MEMBER') FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(query.encode()).fetchall() == [(False, True)]


def test_tables_and_a_function_that_the_application_made_are_no_obstacle(
    cli: Cli, legacy: Database, empty_db: Database
) -> None:
    """Before the script the doctor says what would fail, and changes nothing."""
    chosen = settings(legacy, empty_db)
    legacy.execute(rights_script(chosen).legacy)
    empty_db.execute(rights_script(chosen).target)
    tables = ddl.create_tables(target.metadata, "public", foreign_keys=True, indexes=True)
    make = [*ddl.create_enums(target.metadata, "public"), *tables]
    empty_db.execute(";".join([*make, _APPLICATIONS_FUNCTION]))
    urls = {"legacy": legacy.url_as(READER), "target": empty_db.url_as(WRITER), "COLUMNS": "400"}
    refused = cli("doctor", **urls)
    assert refused.code == 1
    assert f"{WRITER} may not write" in refused.out
    empty_db.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "{WRITER}"')
    refused = cli("doctor", "--json", **urls)
    [tried] = [one for one in json.loads(refused.out)["target"]["findings"] if one["subject"].startswith("prepare")]
    assert (refused.code, tried["verdict"]) == (1, "blocks")
    assert "must be owner of function set_updated_at" in tried["found"]
    empty_db.execute(rights_script(chosen).target)
    assert cli("doctor", **urls).code == 0
    assert cli("run", "--table", "permissions", **urls).code == 0


_APPLICATIONS_FUNCTION = """
    CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.updated_at = now(); RETURN NEW; END $$;
    CREATE TRIGGER keep_updated_at BEFORE UPDATE ON clients FOR EACH ROW EXECUTE FUNCTION set_updated_at()
"""


def test_a_target_that_is_read_only_by_default_is_tried(cli: Cli, edge_db: Database, empty_db: Database) -> None:
    """Our sessions say otherwise, and the trial shows that the server lets them. Nothing of it is left."""
    empty_db.execute(f"ALTER DATABASE {empty_db.name} SET default_transaction_read_only = on")
    ended = cli("doctor", legacy=edge_db, target=empty_db, COLUMNS="300")
    assert (ended.code, "the target takes it" in ended.out) == (0, True)
    with empty_db.connect() as connection:
        assert connection.execute("SELECT FROM pg_class WHERE relname IN ('clients', 'runs')").fetchall() == []
