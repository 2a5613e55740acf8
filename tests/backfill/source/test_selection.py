"""Rows that are read again by their keys: also those whose keys the lists of the state schema hold in a short form."""

from contextlib import closing
from dataclasses import replace

import pytest

from remoteiq_etl.backfill.source.extract import source_query
from remoteiq_etl.backfill.source.selection import Selection
from remoteiq_etl.frames.derived_ids import short_key
from remoteiq_etl.spec.table import Source
from schemas import legacy
from tests.conftest import with_legacy_schema
from tests.support.migrating import Migration
from tests.support.server import Database, Server

LONG, LONGER, SHORT = "ü" * 1_100, "é" * 1_290, "support"


@pytest.mark.parametrize("encoding", ["UTF8", "LATIN1", "SQL_ASCII"])
def test_a_row_is_found_by_the_short_form_of_its_key(server: Server, encoding: str) -> None:
    """Between 2,000 bytes, which the lists hold, and the 2,704 that an index holds."""
    database = server.create_database(encoding=encoding)
    with_legacy_schema(database)
    with database.connect() as connection:
        connection.execute("SET client_encoding = 'UTF8'")
        for purpose in (LONG, LONGER, SHORT, "other"):
            connection.execute("INSERT INTO imap_state (purpose) VALUES (%s)", [purpose])
    source = Source(legacy.imap_state, lambda batch, _context: batch)
    plan = Migration.of(database, database).plan.legacy
    with closing(plan.connect()) as session:
        reading = replace(session.database, session=plan.session)
        for keys, found in (([LONG, SHORT], {LONG, SHORT}), ([LONGER], {LONGER}), ([SHORT], {SHORT})):
            wanted = Selection(keys=frozenset(map(short_key, keys)))
            condition = wanted.condition(reading, source).as_string(None)
            rows = session.rows(f"SELECT purpose FROM imap_state AS l WHERE {condition}")
            assert {row[0] for row in rows} == found
            assert condition in source_query(reading, source, wanted)
    database.drop()


def test_a_quarantined_row_with_a_long_key_is_tried_again_by_every_run(edge_db: Database, our_target: Database) -> None:
    migration = Migration.of(edge_db, our_target)
    edge_db.execute("INSERT INTO imap_state (purpose) VALUES (repeat(' ', 2200))")
    tables = ("organizations", "email_channels", "email_ingest_state")
    waiting = "SELECT last_run FROM remoteiq_etl.quarantine WHERE rule = 'blank_purpose' AND length(legacy_key) < 2000 ORDER BY 1"
    for _ in range(2):
        migration.run(*tables)
        runs = migration.query("SELECT max(id) FROM remoteiq_etl.runs")
        assert migration.query(waiting)[-1:] == runs
