"""Prepare creates what the target lacks, leaves what it has, records what it leaves out, and does all or nothing."""

import contextlib
import datetime as dt
import itertools
import threading
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest

from remoteiq_etl.errors import DriftError, PrepareError
from remoteiq_etl.lifecycle.target import ownership
from remoteiq_etl.lifecycle.target.prepare import PreparedTarget, with_parents
from schemas import ddl, target
from tests.schemas import catalogue
from tests.support import schemas
from tests.support.preparing import KillAt, Killed, Target
from tests.support.server import Database, Server

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
EVERY_TABLE = {table.name for table in target.metadata.sorted_tables}
STATE_OF_PARTS = "SELECT count(*), count(DISTINCT table_name), min(state), max(state) FROM remoteiq_etl.removed"


@pytest.fixture
def foreign_db(server: Server) -> Iterator[Database]:
    """The redesigned schema as the new application creates it."""
    database = server.clone("redesign", schemas.with_new_schema)
    yield database
    database.drop()


def facts(database: Database, schema: str = "public") -> dict[str, catalogue.Rows]:
    with database.connect() as connection:
        return {what: catalogue.found(connection, schema, what) for what in catalogue.FILES}


def bare_facts() -> dict[str, catalogue.Rows]:
    """What the fact files say, without foreign keys and indexes."""
    every = {what: catalogue.expected("target", what) for what in catalogue.FILES}
    kept = {row: count for row, count in every["constraints"].items() if row[1] != "foreign key"}
    return {**every, "constraints": Counter(kept), "indexes": Counter()}


def add_client(place: Target) -> None:
    place.execute(
        "INSERT INTO organizations (name, slug) VALUES ('Acme', 'acme')",
        "INSERT INTO clients (organization_id, name, updated_at) SELECT id, 'Acme', '2020-01-01Z' FROM organizations",
    )


def time_after_update(place: Target, *, preserved: bool) -> dt.datetime:
    with place.session() as session:
        with session.transaction():
            if preserved:
                session.execute(f"SET LOCAL {ddl.PRESERVE_SETTING} TO on")
            session.execute("UPDATE clients SET name = 'ACME', updated_at = '2020-01-01Z'")
        return session.value("SELECT updated_at FROM clients")


@pytest.mark.every_postgres
@pytest.mark.parametrize("schema", ["public", "The new User"])
def test_an_empty_database_gets_bare_tables(empty_db: Database, schema: str) -> None:
    """Extensions, schema, enum types, and tables with keys, uniques and checks; no foreign key, no secondary index."""
    prepared = Target(empty_db, schema).prepare()
    assert set(prepared.extensions) == {"pgcrypto", "citext"}
    assert set(prepared.created) == EVERY_TABLE
    assert prepared.existing == ()
    assert prepared.function == "created"
    assert prepared.without_trigger == ()
    assert facts(empty_db, schema) == bare_facts()


def test_what_is_left_out_is_recorded(target_db: Database) -> None:
    place = Target(target_db)
    prepared = place.prepare()
    assert place.rows(STATE_OF_PARTS) == [(66 + 9, 45, "pending", "pending")]
    assert len(prepared.left_out) == 66 + 9
    owners = place.rows("SELECT DISTINCT schema_name, created_by_us, finalized FROM remoteiq_etl.schema_owner")
    assert owners == [("public", True, False)]


@pytest.mark.every_postgres
def test_the_intent_is_written_before_the_first_table(target_db: Database) -> None:
    observer = KillAt()
    Target(target_db).prepare(observer)
    intent = next(n for n, text in enumerate(observer.seen) if 'INSERT INTO "remoteiq_etl"."removed"' in text)
    first = next(n for n, text in enumerate(observer.seen) if text.startswith("CREATE TABLE public."))
    assert intent < first


def test_a_second_call_changes_nothing(target_db: Database) -> None:
    place = Target(target_db)
    first = place.prepare()
    before = facts(target_db), place.rows("SELECT * FROM remoteiq_etl.removed ORDER BY name")
    second = place.prepare()
    assert (facts(target_db), place.rows("SELECT * FROM remoteiq_etl.removed ORDER BY name")) == before
    assert (second.created, second.enums, second.extensions, second.function) == ((), (), (), "kept")
    assert second.left_out == first.left_out
    assert place.value("SELECT bool_and(created_by_us) FROM remoteiq_etl.schema_owner") is True


@pytest.mark.every_postgres
def test_a_foreign_target_keeps_everything_but_the_function(foreign_db: Database) -> None:
    place = Target(foreign_db)
    before = facts(foreign_db)
    original = place.value("SELECT pg_get_functiondef('public.set_updated_at()'::regprocedure)")
    prepared = place.prepare()
    assert facts(foreign_db) == before
    assert set(prepared.existing) == EVERY_TABLE
    assert (prepared.created, prepared.left_out, prepared.function) == ((), (), "replaced")
    assert place.rows("SELECT * FROM remoteiq_etl.removed") == []
    assert place.rows("SELECT DISTINCT created_by_us FROM remoteiq_etl.schema_owner") == [(False,)]
    assert place.value("SELECT definition FROM remoteiq_etl.replaced_functions") == original


def test_the_kept_definition_puts_the_original_function_back(foreign_db: Database) -> None:
    """And the next prepare replaces it again and keeps the same original."""
    place = Target(foreign_db)
    place.prepare()
    original = place.value("SELECT definition FROM remoteiq_etl.replaced_functions")
    assert place.prepare().function == "kept"
    place.execute(original)
    add_client(place)
    assert time_after_update(place, preserved=True) > LONG_AGO
    assert place.prepare().function == "replaced"
    assert place.value("SELECT definition FROM remoteiq_etl.replaced_functions") == original


@pytest.mark.every_postgres
@pytest.mark.parametrize("database", ["target_db", "foreign_db"])
def test_updated_at_is_preserved_on_demand_only(request: pytest.FixtureRequest, server: Server, database: str) -> None:
    """On a target that we created as on one that the application created."""
    place = Target(request.getfixturevalue(database))
    place.prepare()
    add_client(place)
    assert time_after_update(place, preserved=True) == LONG_AGO
    assert time_after_update(place, preserved=False) > LONG_AGO


def test_a_function_that_does_more_is_not_replaced(foreign_db: Database) -> None:
    """The text says how to let it keep a given time; once it does so, it is left as it is."""
    place = Target(foreign_db)
    more = "NEW.updated_at = now(); PERFORM pg_notify('changed', TG_TABLE_NAME); RETURN NEW;"
    pattern = "CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $x$ BEGIN {} END $x$"
    place.execute(pattern.format(more))
    with pytest.raises(PrepareError, match="preserve_updated_at") as caught:
        place.prepare()
    assert not place.value("SELECT to_regnamespace('remoteiq_etl') IS NOT NULL")
    place.execute(pattern.format(str(caught.value).split('"')[1] + more))
    assert place.prepare().function == "kept"


def test_missing_triggers_of_foreign_tables_are_reported(foreign_db: Database) -> None:
    """Also one that is disabled, and one that calls another function. None is added."""
    place = Target(foreign_db)
    place.execute(
        "DROP TRIGGER trg_clients_set_updated_at ON clients",
        "ALTER TABLE sites DISABLE TRIGGER trg_sites_set_updated_at",
        "CREATE SCHEMA other",
        *schemas.function_of_application("other"),
        "DROP TRIGGER trg_devices_set_updated_at ON devices",
        "CREATE TRIGGER a BEFORE UPDATE ON devices FOR EACH ROW EXECUTE FUNCTION other.set_updated_at()",
    )
    assert set(place.prepare().without_trigger) == {"clients", "sites", "devices"}
    assert set(place.prepare().without_trigger) == {"clients", "sites", "devices"}


def test_a_foreign_target_without_the_function_gets_none(foreign_db: Database) -> None:
    place = Target(foreign_db)
    place.execute("DROP FUNCTION set_updated_at() CASCADE")
    prepared = place.prepare()
    assert prepared.function == "absent"
    assert "clients" in prepared.without_trigger
    assert "organizations" not in prepared.without_trigger


def test_missing_tables_of_a_foreign_target_are_created_beside_the_others(foreign_db: Database) -> None:
    """They belong to us, the others do not; an enum type that is there is used."""
    place = Target(foreign_db)
    place.execute("DROP TABLE check_runs, ticket_tags")
    prepared = place.prepare()
    assert set(prepared.created) == {"check_runs", "ticket_tags"}
    assert prepared.enums == ()
    ours = place.rows("SELECT table_name FROM remoteiq_etl.schema_owner WHERE created_by_us ORDER BY 1")
    assert ours == [("check_runs",), ("ticket_tags",)]


def test_named_tables_bring_those_they_refer_to(target_db: Database) -> None:
    prepared = Target(target_db).prepare(tables=("sites",))
    assert prepared.created == ("organizations", "clients", "sites")
    assert prepared.enums == ()


def test_unknown_names_are_refused() -> None:
    with pytest.raises(PrepareError, match="found check_run, site"):
        with_parents(["site", "sites", "check_run"])


def test_drift_elsewhere_does_not_block_named_tables(foreign_db: Database) -> None:
    place = Target(foreign_db)
    place.execute("ALTER TABLE check_runs ADD shoe_size int NOT NULL")
    assert place.prepare(tables=("sites",)).existing == ("organizations", "clients", "sites")
    with pytest.raises(DriftError, match=r"check_runs\.shoe_size"):
        place.prepare()


def test_blocking_drift_is_refused_before_anything_is_written(foreign_db: Database) -> None:
    place = Target(foreign_db)
    place.execute("ALTER TABLE clients ADD shoe_size int NOT NULL", "DROP TABLE check_runs")
    observer = KillAt()
    with pytest.raises(DriftError, match=r"clients\.shoe_size.*NOT NULL without default"):
        place.prepare(observer)
    assert not [text for text in observer.seen if text.startswith(("CREATE", "INSERT", "ALTER"))]


def test_a_leftover_enum_type_without_a_label_is_found(target_db: Database) -> None:
    """It is hidden as long as no table is there; then nothing is created either."""
    place = Target(target_db)
    place.execute("CREATE TYPE check_severity AS ENUM ('info')")
    with pytest.raises(DriftError, match=r"check_severity\.critical"):
        place.prepare()
    assert facts(target_db)["columns"].total() == 0


def test_a_process_killed_at_any_statement_leaves_nothing(target_db: Database) -> None:
    """Until k is beyond the last statement: then it completes."""
    place = Target(target_db, "redesign")
    prepared = None
    for k in itertools.count(1):
        observer = KillAt(k)
        with contextlib.suppress(Killed):
            prepared = place.prepare(observer, ("sites",))
        if prepared:
            break
        left = place.value("SELECT count(*) FROM pg_namespace WHERE nspname IN ('redesign', 'remoteiq_etl')")
        assert left == 0, observer.seen[-1]
    assert k > len(observer.seen) > 25
    assert prepared.created == ("organizations", "clients", "sites")


def test_a_process_killed_at_any_statement_leaves_a_foreign_target_as_it_was(foreign_db: Database) -> None:
    """Above all its function, and what is known of the original."""
    place = Target(foreign_db)
    original = place.value("SELECT prosrc FROM pg_proc WHERE proname = 'set_updated_at'")
    for k in itertools.count(1):
        prepared = None
        with contextlib.suppress(Killed):
            prepared = place.prepare(KillAt(k), ("sites",))
        if prepared:
            break
        assert place.value("SELECT prosrc FROM pg_proc WHERE proname = 'set_updated_at'") == original
    assert prepared.function == "replaced"
    assert original in place.value("SELECT definition FROM remoteiq_etl.replaced_functions")


@pytest.mark.every_postgres
def test_several_at_once_give_what_one_gives(empty_db: Database) -> None:
    """One of them creates everything, the others find it."""
    results: list[PreparedTarget] = []
    threads = [threading.Thread(target=lambda: results.append(Target(empty_db).prepare())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(result.created) for result in results) == [0, 0, 0, len(EVERY_TABLE)]
    assert facts(empty_db) == bare_facts()


def test_a_holder_of_the_lock_is_waited_for_but_not_forever(
    target_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ownership, "LOCK_WAIT", 0.3)
    place = Target(target_db)
    refused = pytest.raises(PrepareError, match="another prepare or finalize")
    with place.session() as session, ownership.locked(session), refused:
        place.prepare()


def role_without_rights(database: Database) -> str:
    role = f"poor_{next(database.server.numbers)}"
    database.execute(f"CREATE ROLE {role} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    return role


def test_missing_extensions_and_no_right_to_create_them(empty_db: Database) -> None:
    place = Target(empty_db, role=role_without_rights(empty_db))
    with pytest.raises(PrepareError, match=r"needs the extension pgcrypto.*CREATE EXTENSION pgcrypto"):
        place.prepare()


def test_no_right_to_create_the_schema(target_db: Database) -> None:
    place = Target(target_db, "redesign", role=role_without_rights(target_db))
    with pytest.raises(
        PrepareError, match=r"'redesign' cannot be prepared: .*GRANT CREATE ON DATABASE .*Nothing was changed"
    ):
        place.prepare()


def test_a_role_that_may_create_schemas_is_enough(target_db: Database) -> None:
    """No superuser is needed; where the application owns the function, its owner must replace it."""
    role = role_without_rights(target_db)
    target_db.execute(f'GRANT CREATE ON DATABASE "{target_db.name}" TO {role}')
    place = Target(target_db, "redesign", role=role)
    assert set(place.prepare().created) == EVERY_TABLE
    place.finalize()


def test_only_its_owner_may_replace_the_function(foreign_db: Database) -> None:
    role = role_without_rights(foreign_db)
    foreign_db.execute(
        f'GRANT CREATE ON DATABASE "{foreign_db.name}" TO {role}; GRANT CREATE ON SCHEMA public TO {role}'
    )
    with pytest.raises(PrepareError, match=r"must be owner of function set_updated_at.*only replaced by its owner"):
        Target(foreign_db, role=role).prepare()


def test_extensions_may_be_in_a_schema_of_their_own(empty_db: Database) -> None:
    empty_db.execute("CREATE SCHEMA extensions; CREATE EXTENSION citext SCHEMA extensions")
    place = Target(empty_db)
    assert place.prepare().extensions == ("pgcrypto",)
    assert set(place.prepare().existing) == EVERY_TABLE
    place.finalize()


def test_a_table_that_was_dropped_is_created_again(target_db: Database) -> None:
    """It lacks its parts once more, and so do the tables of ours that lost their foreign key with it."""
    place = Target(target_db)
    place.prepare()
    place.finalize()
    place.execute("DROP TABLE devices CASCADE")
    prepared = place.prepare()
    assert prepared.created == ("devices",)
    assert "fk_agents_device_id" in prepared.left_out
    assert "fk_devices_site_id" in prepared.left_out
    assert "fk_sites_client_id" not in prepared.left_out
    place.finalize()
    assert facts(target_db) == {what: catalogue.expected("target", what) for what in catalogue.FILES}


def test_something_else_of_a_tables_name_is_in_the_way(target_db: Database) -> None:
    place = Target(target_db)
    place.execute("CREATE SEQUENCE clients")
    with pytest.raises(PrepareError, match=r'cannot be prepared: .*relation "clients" already exists') as caught:
        place.prepare()
    assert isinstance(caught.value.__cause__, psycopg.Error)
