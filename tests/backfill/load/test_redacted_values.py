"""What the state schema holds without its secrets is compared with values that are redacted in the same way."""

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.backfill.context.report import Ledger
from tests.support.migrating import Migration

TABLES = ("organizations", "clients", "sites", "devices", "agents")
OF_AGENT = (
    "id = (SELECT new_key FROM remoteiq_etl.legacy_agents_map WHERE legacy_table = 'agents' AND legacy_key = '5')"
)
AGENT = f"SELECT version, facts ->> 'cpu', facts ->> 'deviceKey' FROM agents WHERE {OF_AGENT}"
CHANGED = """UPDATE agents SET version = '2.0', facts = '{"cpu": "i9"}' WHERE id = 5"""
WRITTEN = (
    "SELECT last_written::text FROM remoteiq_etl.legacy_agents_map WHERE legacy_table = 'agents' AND legacy_key = '5'"
)


def test_facts_and_version_of_an_agent_that_is_offline_follow_legacy(pair: Migration) -> None:
    """Its facts always name the device's key, which no copy in the state schema shows."""
    assert pair.query(AGENT) == [("1.0", None, "text-5")]
    pair.legacy.execute(CHANGED)
    assert pair.run(*TABLES)["agents"].total(Ledger.UPDATED) == 1
    assert pair.query(AGENT) == [("2.0", "i9", "text-5")]
    assert pair.run(*TABLES, mode=Mode.FULL)["agents"].total(Ledger.UPDATED) == 0


def test_a_secret_part_that_was_edited_in_the_target_is_an_edit(pair: Migration) -> None:
    """The copy shows no secret; that it is another one is seen by its keyed hash."""
    pair.legacy.execute(CHANGED)
    pair.run(*TABLES)
    pair.target.execute(f"""UPDATE agents SET facts = facts || '{{"deviceKey": "theirs"}}' WHERE {OF_AGENT}""")
    pair.legacy.execute("UPDATE agents SET version = '3.0' WHERE id = 5")
    pair.run(*TABLES, mode=Mode.FULL)
    assert pair.query(AGENT) == [("2.0", "i9", "theirs")]


def test_what_was_written_holds_no_secret(pair: Migration) -> None:
    pair.legacy.execute(CHANGED)
    pair.run(*TABLES)
    ((written,),) = pair.query(WRITTEN)
    assert "text-5" not in written
    assert "[redacted]" in written


def test_a_copy_of_an_older_program_has_no_hash_and_is_compared_by_what_it_shows(pair: Migration) -> None:
    pair.target.execute("UPDATE remoteiq_etl.legacy_agents_map SET last_written = last_written - '#secrets'")
    pair.legacy.execute(CHANGED)
    pair.run(*TABLES)
    assert pair.query(AGENT) == [("2.0", "i9", "text-5")]
