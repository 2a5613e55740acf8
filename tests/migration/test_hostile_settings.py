"""A migration whose roles and databases have every setting that could change what it does: all is as without them."""

from collections.abc import Callable, Iterator

import pytest
from psycopg import sql

from remoteiq_etl.lifecycle.drift.checkup import examine_legacy, examine_target
from remoteiq_etl.verify.engine import verify
from tests.support import drifting
from tests.support.hostile import make_hostile
from tests.support.migrating import Migration, bare_target
from tests.support.migrations import Loaded
from tests.support.server import SUPERUSER, Database, Server


def _make_mild(database: Database) -> None:
    name = sql.Identifier(database.name)
    database.server.admin(sql.SQL("ALTER DATABASE {} RESET ALL").format(name))
    database.server.admin(sql.SQL("ALTER ROLE {} IN DATABASE {} RESET ALL").format(sql.Identifier(SUPERUSER), name))


@pytest.fixture
def surrounded(migration: Migration) -> Iterator[Migration]:
    make_hostile(migration.legacy, role=SUPERUSER)
    make_hostile(migration.target)
    yield migration
    for database in (migration.legacy, migration.target):
        _make_mild(database)


def test_a_run_its_verification_and_its_checkup_are_as_without(
    surrounded: Migration, first_loads: Callable[[Callable[[Server], Database]], Loaded]
) -> None:
    """Every row of every table, every account, every verdict."""
    plain, expected = first_loads(bare_target)
    reports = surrounded.run()
    verdict = verify(surrounded.plan)
    settled = drifting.settled(surrounded.legacy, surrounded.target)
    checkups = [
        examine_legacy(settled.legacy, settled.drift_report),
        examine_target(settled.target, settled.settings.state_schema),
    ]
    for database in (surrounded.legacy, surrounded.target):
        _make_mild(database)
    assert surrounded.checksums() == plain.checksums()
    assert {name: report.accounts for name, report in reports.items()} == {
        name: report.accounts for name, report in expected.items()
    }
    assert (verdict.word, [one.error for one in verdict.tables if one.error]) == ("explained", [])
    assert [one for checkup in checkups for one in checkup.findings if one.verdict == "blocks"] == []
