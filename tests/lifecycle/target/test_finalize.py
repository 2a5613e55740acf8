"""Finalize makes what prepare left out, goes on where it was stopped, and says which rows and locks are in its way."""

import itertools
import uuid
from collections.abc import Iterator

import pytest

from remoteiq_etl.errors import PrepareError
from remoteiq_etl.lifecycle.target import finalize as module
from tests.schemas import catalogue
from tests.support import schemas
from tests.support.preparing import KillAt, Killed, Target
from tests.support.server import Database, Server

PARTS = "SELECT state, count(*) FROM remoteiq_etl.removed GROUP BY state ORDER BY state"
FINISHED = "SELECT DISTINCT finalized FROM remoteiq_etl.schema_owner WHERE created_by_us"
FEW = ("check_runs",)


@pytest.fixture
def prepared(target_db: Database) -> Target:
    """A target that we created, empty."""
    place = Target(target_db)
    place.prepare()
    return place


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(module, "INDEX_LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(module, "ATTEMPTS", 2)
    monkeypatch.setattr(module, "PAUSE", 0.01)


def facts(database: Database, schema: str = "public") -> dict[str, catalogue.Rows]:
    with database.connect() as connection:
        return {what: catalogue.found(connection, schema, what) for what in catalogue.FILES}


def every_fact() -> dict[str, catalogue.Rows]:
    return {what: catalogue.expected("target", what) for what in catalogue.FILES}


def not_valid(place: Target) -> int:
    constraints = place.value("SELECT count(*) FROM pg_constraint WHERE NOT convalidated")
    return constraints + place.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid")


def add_orphans(place: Target, number: int) -> list[str]:
    parents = sorted(str(uuid.uuid4()) for _ in range(number))
    place.execute(*[f"INSERT INTO sites (client_id, name) VALUES ('{parent}', 'HQ')" for parent in parents])
    return parents


@pytest.mark.every_postgres
@pytest.mark.parametrize("schema", ["public", "The new User"])
def test_a_prepared_target_becomes_what_the_facts_say(target_db: Database, schema: str) -> None:
    """Every foreign key and index is there, valid, recorded so; no invalid one is left."""
    place = Target(target_db, schema)
    place.prepare()
    done = place.finalize()
    assert facts(target_db, schema) == every_fact()
    assert not_valid(place) == 0
    assert (len(done.foreign_keys), len(done.indexes), len(done.tables)) == (66, 9, 48)
    assert place.rows(PARTS) == [("valid", 75)]
    assert place.rows(FINISHED) == [(True,)]


def test_progress_names_each_part(prepared: Target) -> None:
    seen: list[tuple[str, int, int]] = []
    done = prepared.finalize(progress=lambda *part: seen.append(part))
    assert [number for _, number, _ in seen] == list(range(1, 76))
    assert [name for name, _, _ in seen] == [*done.foreign_keys, *done.indexes]


@pytest.mark.every_postgres
def test_a_second_call_makes_nothing(prepared: Target) -> None:
    prepared.finalize()
    before = prepared.rows("SELECT oid FROM pg_class UNION ALL SELECT oid FROM pg_constraint ORDER BY 1")
    observer = KillAt()
    done = prepared.finalize(observer)
    assert (done.foreign_keys, done.indexes, done.tables) == ((), (), ())
    assert prepared.rows("SELECT oid FROM pg_class UNION ALL SELECT oid FROM pg_constraint ORDER BY 1") == before
    assert not [text for text in observer.seen if text.startswith(("ALTER", "CREATE", "DROP"))]


def test_a_foreign_target_is_left_alone(server: Server) -> None:
    """Also where it lacks a foreign key: its tables are not ours."""
    database = server.clone("redesign", schemas.with_new_schema)
    place = Target(database)
    place.execute("ALTER TABLE sites DROP CONSTRAINT fk_sites_client_id", "DROP INDEX idx_agent_software_name")
    before = facts(database)
    place.prepare()
    assert place.finalize().tables == ()
    assert facts(database) == before
    database.drop()


def test_it_needs_a_prepare(target_db: Database) -> None:
    with pytest.raises(PrepareError, match="never prepared"):
        Target(target_db).finalize()


def kills(place: Target) -> Iterator[KillAt]:
    """Finalize again and again, killed one statement later each time, until an attempt ends by itself."""
    for k in itertools.count(2):
        observer = KillAt(k)
        try:
            place.finalize(observer)
        except Killed:
            yield observer
        else:
            return


@pytest.mark.every_postgres
def test_it_goes_on_where_it_was_killed(target_db: Database) -> None:
    """Killed at the second, third, … statement, each attempt on the state that the one before left."""
    place = Target(target_db)
    place.prepare(tables=FEW)
    attempts = len(list(kills(place)))
    assert attempts > 10
    assert place.rows("SELECT DISTINCT state FROM remoteiq_etl.removed") == [("valid",)]
    assert place.rows(FINISHED) == [(True,)]
    assert not_valid(place) == 0
    assert facts(target_db)["indexes"].total() == 2


def test_a_kill_at_each_statement_of_a_fresh_attempt(target_db: Database) -> None:
    """What the state says never runs ahead of the catalogue, and the next attempt completes it."""
    counted = 0
    for k in itertools.count(1):
        place = Target(target_db, f"try_{k}")
        place.prepare(tables=("check_assignments",))
        observer = KillAt(k)
        try:
            place.finalize(observer)
        except Killed:
            place.finalize()
        else:
            break
        counted = k
        states = f"SELECT DISTINCT state FROM remoteiq_etl.removed WHERE schema_name = '{place.schema}'"
        assert place.rows(states) == [("valid",)], observer.seen[-1]
        assert not_valid(place) == 0
        place.execute(f"DROP SCHEMA {place.schema} CASCADE")
    assert counted == len(observer.seen)


@pytest.mark.every_postgres
def test_an_invalid_index_of_a_killed_attempt_is_built_again(prepared: Target) -> None:
    name = "idx_agent_software_name"
    prepared.execute(
        f"CREATE INDEX {name} ON agent_software (name)",
        f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{name}'::regclass",
    )
    prepared.finalize()
    assert not_valid(prepared) == 0
    assert facts(prepared.database) == every_fact()


def test_a_part_that_is_there_already_is_not_made_again(prepared: Target) -> None:
    """The attempt was killed after the statement and before the record of it."""
    prepared.finalize()
    prepared.execute(
        "UPDATE remoteiq_etl.removed SET state = 'pending'", "UPDATE remoteiq_etl.schema_owner SET finalized = false"
    )
    before = prepared.rows("SELECT oid FROM pg_class UNION ALL SELECT oid FROM pg_constraint ORDER BY 1")
    assert len(prepared.finalize().tables) == 48
    assert prepared.rows("SELECT oid FROM pg_class UNION ALL SELECT oid FROM pg_constraint ORDER BY 1") == before


@pytest.mark.every_postgres
def test_rows_without_parent_are_named_and_all_else_is_made(prepared: Target) -> None:
    """The foreign key stays not valid, so that no further row of this kind comes; then the next call completes it."""
    parents = add_orphans(prepared, 2)
    with pytest.raises(PrepareError, match="1 of 75 parts") as caught:
        prepared.finalize()
    text = str(caught.value)
    assert "fk_sites_client_id: 2 rows of sites refer by client_id to rows of clients" in text
    assert all(parent in text for parent in parents)
    assert prepared.rows(PARTS) == [("created", 1), ("valid", 74)]
    assert prepared.rows(FINISHED) == [(False,)]
    assert facts(prepared.database)["indexes"] == every_fact()["indexes"]
    prepared.execute("DELETE FROM sites")
    assert prepared.finalize().foreign_keys == ("fk_sites_client_id",)
    assert facts(prepared.database) == every_fact()


def test_of_many_keys_only_a_few_are_named(prepared: Target) -> None:
    parents = add_orphans(prepared, 7)
    with pytest.raises(PrepareError, match="7 rows of sites") as caught:
        prepared.finalize()
    assert [parent for parent in parents if parent in str(caught.value)] == parents[:5]
    assert f"{parents[4]}, …)" in str(caught.value)


def test_a_nullable_reference_of_null_is_no_orphan(prepared: Target) -> None:
    prepared.execute(
        "INSERT INTO organizations (name, slug) VALUES ('Acme', 'acme')",
        "INSERT INTO checks (organization_id, name, type, schedule, config)"
        " SELECT id, 'Ping', 'ping', '', '{}' FROM organizations",
    )
    prepared.finalize()


@pytest.mark.usefixtures("impatient")
def test_a_lock_that_is_not_let_go_is_named(prepared: Target) -> None:
    """What it concerns is left for the next call; nobody waits behind us for long."""
    with prepared.database.connect(autocommit=False) as holder:
        holder.execute("LOCK TABLE ticket_tags IN ROW EXCLUSIVE MODE")
        with pytest.raises(PrepareError, match=r"fk_ticket_tags_\w+ on ticket_tags: held up 2 times") as caught:
            prepared.finalize()
        assert "fk_sites" not in str(caught.value)
    prepared.finalize()
    assert facts(prepared.database) == every_fact()


@pytest.mark.usefixtures("impatient")
def test_an_older_transaction_holds_up_indexes_only(prepared: Target) -> None:
    """The snapshot of a run in the same database would do that."""
    with prepared.database.connect(autocommit=False) as holder:
        holder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        with pytest.raises(PrepareError, match="9 of 75 parts"):
            prepared.finalize()
    prepared.finalize()
    assert not_valid(prepared) == 0
    assert facts(prepared.database) == every_fact()


def test_the_session_is_as_before(prepared: Target) -> None:
    with prepared.session() as session:
        before = session.value("SHOW lock_timeout")
        module.finalize(session, target_schema="public", state=prepared.state)
        assert session.value("SHOW lock_timeout") == before
        assert session.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0


def test_within_a_transaction_of_the_caller(prepared: Target) -> None:
    """Indexes cannot be built concurrently there; everything goes when the caller takes it back."""
    with prepared.session() as session:
        with session.connection.transaction(force_rollback=True):
            module.finalize(session, target_schema="public", state=prepared.state)
            assert session.rows(PARTS) == [("valid", 75)]
        assert session.rows(PARTS) == [("pending", 75)]
    prepared.finalize()
    assert facts(prepared.database) == every_fact()


DIFFERENCES = {
    "an index too many": ("CREATE INDEX ON sites (name)", r"extra index: sites: btree \(name\)"),
    "a column too many": ("ALTER TABLE sites ADD shoe_size int", r"extra column: sites\.shoe_size"),
    "no check": (
        "ALTER TABLE email_messages DROP CONSTRAINT ck_email_messages_direction",
        "missing check: email_messages",
    ),
    "another default": ("ALTER TABLE sites ALTER created_at SET DEFAULT 'epoch'", r"sites\.created_at"),
}


@pytest.mark.parametrize("case", DIFFERENCES)
def test_tables_of_ours_that_differ_are_not_complete(prepared: Target, case: str) -> None:
    statement, message = DIFFERENCES[case]
    prepared.execute(statement)
    with pytest.raises(PrepareError, match=message):
        prepared.finalize()
    assert prepared.rows(FINISHED) == [(False,)]


def test_complete_tables_belong_to_the_application(prepared: Target) -> None:
    """Its migrations may change them; neither prepare nor finalize takes that back or complains."""
    prepared.finalize()
    prepared.execute("ALTER TABLE sites ADD shoe_size int", "DROP INDEX idx_agent_software_name")
    changed = facts(prepared.database)
    prepared.prepare()
    prepared.finalize()
    assert facts(prepared.database) == changed


def test_something_else_of_an_indexs_name_is_in_the_way(prepared: Target) -> None:
    prepared.execute("CREATE INDEX idx_agent_software_name ON sites (name)")
    with pytest.raises(PrepareError, match=r"1 of 75 parts.*\n.*idx_agent_software_name on agent_software: expected"):
        prepared.finalize()


def test_a_foreign_parent_without_a_key_names_the_part(prepared: Target) -> None:
    prepared.execute("ALTER TABLE clients DROP CONSTRAINT pk_clients")
    with pytest.raises(
        PrepareError, match=r"fk_sites_client_id on sites: .*\(SQLSTATE 42830: there is no unique constraint"
    ):
        prepared.finalize()
