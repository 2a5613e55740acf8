"""Cleaning up after a cut-over: in order, without CASCADE, with nothing of others, and never of the new application."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from remoteiq_etl.errors import ArchiveBroken, CleanupError, RemoteIQError, StageError
from remoteiq_etl.lifecycle.cleanup import execute
from remoteiq_etl.lifecycle.cleanup.execute import CleanupReport, clean_up, drop_state
from remoteiq_etl.lifecycle.cleanup.plan import fingerprint, plan_legacy
from remoteiq_etl.postgres.database import Database as EngineDatabase
from tests.support.cutting_over import Ready
from tests.support.preparing import KillAt, Killed
from tests.support.server import Database

Make = Callable[..., Ready]
#: What installations have beside the tables: the application's view and function, and a trigger that is there twice.
_MORE = """
CREATE VIEW roles_with_meta AS SELECT r.id, r.name, m.description FROM roles AS r LEFT JOIN role_meta AS m ON m.role_name = r.name;
CREATE FUNCTION select_all_tables() RETURNS SETOF devices LANGUAGE sql AS 'SELECT * FROM devices';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at = now(); RETURN NEW; END';
CREATE TRIGGER touch_1 BEFORE UPDATE ON agents FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER touch_2 BEFORE UPDATE ON agents FOR EACH ROW EXECUTE FUNCTION touch();
CREATE SEQUENCE ticket_numbers; ALTER TABLE checks ALTER COLUMN name SET DEFAULT 'check ' || nextval('ticket_numbers')
"""
_LEGACY_TABLES = 35


def cleaned(ready: Ready, confirmed: str = "default") -> CleanupReport:
    with ready.place() as place:
        return clean_up(place, confirmed)


def tables(ready: Ready, schema: str) -> int:
    statement = f"SELECT count(*) FROM pg_tables WHERE schemaname = '{schema}'"
    return int(ready.in_legacy(statement)[0][0])


def test_legacy_is_dropped_after_everything_was_looked_at(either: Make) -> None:
    """The stage, what was typed, the age, foreign objects; then an archive, one transaction, and at last our own schema."""
    ready = replace(either(fence="stopped"), tables=("backup_policies",), verifies=False)
    ready.legacy.execute(_MORE)
    ready.make_ready()
    with pytest.raises(StageError, match="needs a migration that is cut over"):
        cleaned(ready)
    ready.cut_over()
    where = ("public_legacy", "public") if ready.one_database else ("public", "public")
    later = replace(ready, schemas=where)
    with pytest.raises(CleanupError, match="type the name of the source, 'default'; found 'yes'"):
        cleaned(later, "yes")
    with pytest.raises(CleanupError, match="30 days after the cut-over at the earliest"):
        cleaned(later)
    later = later.changed(cleanup_after_days=0)
    later.in_legacy(
        "CREATE TABLE invoices (device uuid REFERENCES devices (id)); CREATE VIEW my_jobs AS SELECT id FROM jobs"
    )
    with pytest.raises(
        CleanupError, match=r"(?s)constraint .*invoices_device_fkey.* on table .*invoices.*my_jobs"
    ) as refused:
        cleaned(later)
    assert "Nothing was dropped" in str(refused.value)
    assert tables(later, where[0]) == _LEGACY_TABLES + 1
    later.in_legacy("DROP TABLE invoices; DROP VIEW my_jobs")
    rows = later.in_target("SELECT id, schedule FROM backups_config", where[1])
    assert rows
    report = cleaned(later)
    assert {str(one) for one in report.dropped} >= {
        f'{kind} "{where[0]}"."{name}"{arguments}'
        for kind, name, arguments in (
            ("view", "roles_with_meta", ""),
            ("function", "select_all_tables", "()"),
            ("function", "touch", "()"),
            ("sequence", "ticket_numbers", ""),
        )
    }
    assert report.stays == []
    assert (later.stage(), report.schema_dropped) == ("cleaned up", ready.one_database)
    assert later.in_target("SELECT id, schedule FROM backups_config", where[1]) == rows
    assert report.archive is not None
    assert report.archive.manifest.rows > 0
    _assert_state_goes_last(later, report.archive.directory)


def _assert_state_goes_last(ready: Ready, archive: Path) -> None:
    """While its archive is whole, and nobody else looks into it."""
    with ready.place() as place:
        ready.query("CREATE VIEW mine AS SELECT * FROM remoteiq_etl.map_all")
        with pytest.raises(CleanupError, match=r"view public\.mine"):
            drop_state(place, "default")
        ready.query("DROP VIEW mine")
        kept = (archive / "runs.jsonl.gz").read_bytes()
        (archive / "runs.jsonl.gz").write_bytes(kept[:-1])
        with pytest.raises(ArchiveBroken, match=r"runs.jsonl.gz is not what was written"):
            drop_state(place, "default")
        (archive / "runs.jsonl.gz").write_bytes(kept)
        assert drop_state(place, "default").schema_dropped
    assert ready.query("SELECT to_regnamespace('remoteiq_etl')") == [(None,)]


def test_what_legacy_was_written_since_would_be_lost_and_is_named(two: Make) -> None:
    ready = replace(two(fence="stopped", cleanup_after_days=0), tables=("backup_policies",), verifies=False)
    ready.cut_over()
    ready.in_legacy("UPDATE devices SET hostname = 'late' WHERE hostname = 'host-1'")
    with pytest.raises(CleanupError, match=r"written since the cut-over: devices \(1 rows new or changed"):
        cleaned(ready)
    assert ready.stage() == "cut over"


@pytest.mark.every_postgres
def test_the_script_is_in_order_and_takes_nothing_of_others(legacy_db: Database) -> None:
    """References in a circle go first; what others use stays; the script is all that psql needs."""
    legacy_db.execute(
        f"{_MORE}; ALTER TABLE agents ADD COLUMN job uuid REFERENCES jobs (id);"
        "ALTER TABLE jobs ADD COLUMN former uuid REFERENCES jobs (id);"
        "CREATE TABLE own (id int, updated_at timestamptz);"
        "CREATE TRIGGER touch BEFORE UPDATE ON own FOR EACH ROW EXECUTE FUNCTION touch(); CREATE TYPE mood AS ENUM ('good')"
    )
    with contextlib.closing(EngineDatabase(legacy_db.url, "public").connect()) as session:
        before = fingerprint(session, "public")
        plan = plan_legacy(session, "public")
        assert plan.blockers == []
        assert {str(one) for one in plan.stays} == {
            'table "public"."own"',
            'function "public"."touch"()',
            'type "public"."mood"',
        }
        assert any("DROP CONSTRAINT" in statement for statement in plan.statements)
        assert not any("CASCADE" in statement for statement in plan.statements)
        assert fingerprint(session, "public") == before
    legacy_db.execute(";".join(plan.statements))
    with contextlib.closing(EngineDatabase(legacy_db.url, "public").connect()) as session:
        assert plan_legacy(session, "public").objects == []
        assert fingerprint(session, "public") != before


def test_killed_at_any_statement_all_is_dropped_or_nothing(two: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the next call ends it."""
    ready = replace(two(fence="stopped", cleanup_after_days=0), tables=("backup_policies",), verifies=False)
    ready.cut_over()
    counter = KillAt()
    with monkeypatch.context() as patched:
        patched.setattr(execute, "_drop", _refuse)
        with pytest.raises(RemoteIQError, match="as far as that"):
            cleaned(replace(ready, observer=counter))
    first = len(counter.seen)
    left = set()
    for at in (first, first + 10, first + 45, 10_000):
        with contextlib.suppress(Killed):
            cleaned(replace(ready, observer=KillAt(at)))
        left.add(tables(ready, "public"))
    assert left == {0, _LEGACY_TABLES}
    assert ready.stage() == "cleaned up"


def _refuse(*_arguments: object) -> CleanupReport:
    raise RemoteIQError("as far as that")
