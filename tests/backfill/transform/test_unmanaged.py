"""Software of an agent that has rows not ours is left alone as a whole: the application replaces it at each submit."""

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.backfill.context.report import Ledger
from remoteiq_etl.backfill.transform.adoption import RULE
from tests.support.migrating import Migration
from tests.support.server import Database

TABLES = ("organizations", "clients", "sites", "devices", "agents", "agent_software")
AGENT = "(SELECT new_key FROM remoteiq_etl.legacy_agents_map WHERE legacy_key = '1')"
SUBMIT = (
    f"DELETE FROM agent_software WHERE agent_id = {AGENT};"
    f"INSERT INTO agent_software (agent_id, name) VALUES ({AGENT}, 'Submitted')"
)


def software(migration: Migration) -> list[tuple[str, ...]]:
    return migration.query(f"SELECT name, xmin::text FROM agent_software WHERE agent_id = {AGENT} ORDER BY 1")


def test_an_inventory_that_the_application_replaced_is_left_alone(migration: Migration, edge_db: Database) -> None:
    """Nothing is inserted beside it, counted by name; other agents' software goes on."""
    read = migration.run(*TABLES)["agent_software"].read
    migration.target.execute(SUBMIT)
    submitted = software(migration)
    edge_db.execute("INSERT INTO agent_software (id, agent_id, name) VALUES (900, 1, 'late'), (901, 2, 'late')")
    for inserted in (1, 0):
        report = migration.run(*TABLES, mode=Mode.FULL)["agent_software"]
        assert report.total(Ledger.INSERTED) == inserted
        assert report.accounts["agent_software"].accounted == read + 2
        assert report.accounts["agent_software"].rules[(Ledger.FILTERED, RULE)] == 25
        assert software(migration) == submitted


def test_an_agent_that_submitted_before_us_is_left_alone(migration: Migration) -> None:
    migration.run(*TABLES[:-1])
    migration.target.execute(SUBMIT)
    submitted = software(migration)
    for planning in (True, False):
        report = migration.run("agent_software", planning=planning)["agent_software"]
        assert report.accounts["agent_software"].rules[(Ledger.FILTERED, RULE)] == 24
        assert report.total(Ledger.INSERTED) == 1
    assert software(migration) == submitted
