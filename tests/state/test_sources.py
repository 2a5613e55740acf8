"""A run has written where rows were inserted, updated or taken away, and not where waiting rows were read again."""

from remoteiq_etl.state.schema import State
from remoteiq_etl.state.sources import written_rows
from tests.support.migrating import Migration


def written_by(migration: Migration, run: int) -> set[str]:
    statement = written_rows(State(migration.plan.target, "remoteiq_etl")).as_string(None)
    return {row[0] for row in migration.query(f"SELECT table_name FROM ({statement}) AS w WHERE run_id = %s", run)}


def test_what_is_read_again_is_not_written(again: Migration) -> None:
    tables = ("tickets", "ticket_tags")
    again.run(*tables)
    last = again.query("SELECT max(id) FROM remoteiq_etl.runs")[0][0]
    batches = "SELECT count(*) > 0 FROM remoteiq_etl.ledger WHERE run_id = %s"
    assert again.query(batches, last) == [(True,)], "tickets in quarantine are read by every run"
    assert written_by(again, last) == set()
    again.legacy.execute("UPDATE tickets SET title = title || '!' WHERE id IN (SELECT id FROM tickets LIMIT 2)")
    again.run(*tables)
    assert written_by(again, last + 1) == {"tickets"}
    assert {"tickets", "users"} <= written_by(again, 1)
