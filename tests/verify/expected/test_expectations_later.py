"""Opinions agree after a re-sync, too: legacy rows changed, optional columns appeared, an operator added words."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from remoteiq_etl.verify.expected.expectation import Expectation, expectations
from tests.backfill.transform.test_optional_columns import add_columns
from tests.support import migrating
from tests.support.server import Server
from tests.verify.conftest import Bench, _is_there, bench

WORDS = {
    "devices.status": {"Sleeping": "offline"},
    "devices.architecture": {" SPARC ": "sun", "amd64": "amd"},
    "checks.type": {"cert": "service", "temperature": "metric"},
    "check_runs.status": {"flapping": "warning", "FAIL": "muted"},
    "check_runs.severity": {"highest": "critical"},
    "tickets.status": {"weird": "pending"},
}
CHANGES = """
UPDATE devices SET hostname = 'RENAMED', client = 'Émile & Söhne', site = NULL, arch = 'sparc', last_seen = '2024-09-09 00:00:00+00'
WHERE id = 'd0000010-0000-4000-8000-000000000000';
UPDATE devices SET hostname = 'PRINT-2', last_seen = '2024-09-09 00:00:00+00' WHERE id = 'd0000007-0000-4000-8000-000000000000';
INSERT INTO devices (id, hostname, os, status, client, site, agent_uuid, last_seen)
VALUES ('d0000031-0000-4000-8000-000000000000', 'CLASH', 'linux', 'online', 'globex', 'PLANT 1', 'a0000021-0000-4000-8000-000000000000',
    '2024-09-09 00:00:00+00');
UPDATE agents SET client = 'Globex', site = 'Plant 9', facts = '{"deviceKey": 1, "legacyValues": "x"}',
    last_seen_at = '2024-09-09 00:00:00+00', updated_at = '2024-09-09 00:00:01+00', agent_uuid = 'a0000077-0000-4000-8000-000000000000'
WHERE id = 7;
UPDATE agent_software SET install_date = '03/31/2024', version = '2.0', updated_at = '2024-09-09 00:00:00+00' WHERE id = 15;
UPDATE checks SET name = 'Spooler service', config = '{"enabled": 1}', severity_default = 'CRIT', scope = 'GLOBAL'
WHERE id = 'cc000003-0000-4000-8000-000000000000';
UPDATE checks SET enabled = false WHERE id = 'cc000008-0000-4000-8000-000000000000';
INSERT INTO checks (id, scope, type, name, severity_default, interval_sec, timeout_sec)
VALUES ('cc000031-0000-4000-8000-000000000000', 'DEVICE', 'CPU', 'cpu', 'CRIT', 60, 10);
UPDATE check_assignments SET check_name = 'Rack cold', created_at = NULL, updated_at = '2024-09-09 00:00:00+00'
WHERE id = 'ca000013-0000-4000-8000-000000000000';
UPDATE check_runs SET status = 'timeout', severity = ' ', metrics = '{"legacy": {"status": "timeout"}}'
WHERE id = 'cb000017-0000-4000-8000-000000000000';
INSERT INTO check_runs (id, device_id, status, created_at) VALUES
('cb000041-0000-4000-8000-000000000000', 'SRV-003', 'FAIL', '2024-09-09 00:00:00+00'),
('cb000042-0000-4000-8000-000000000000', 'PRINT-2', 'warn', '2024-09-09 00:00:00+00');
UPDATE tickets SET client = 'Émile & Söhne', updated_at = '2024-09-09 00:00:00+00' WHERE client = 'Acme'
"""


@pytest.fixture(scope="module")
def later(server: Server, edge_template: str) -> Iterator[Bench]:
    legacy = server.clone("edge", _is_there)
    migration = migrating.migrated_target(server, legacy)
    migration = replace(migration, plan=replace(migration.plan, words=WORDS))
    add_columns(migration.target)
    legacy.execute(CHANGES)
    migration.run()
    with bench(migration) as opened:
        yield opened
    migration.target.drop()
    legacy.drop()


@pytest.mark.parametrize("expectation", expectations(), ids=lambda expectation: expectation.name)
def test_the_opinion_agrees_after_changes(expectation: Expectation, later: Bench) -> None:
    assert later.differences(expectation) == []
