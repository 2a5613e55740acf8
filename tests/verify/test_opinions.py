"""Every opinion agrees with what the edge-case database became."""

import pytest

from remoteiq_etl.verify.opinion import Opinion, opinions
from schemas import target
from tests.verify.conftest import Bench

# mapping.md: no legacy source, they stay empty.
WITHOUT_SOURCE = {"automations", "automation_runs", "storage_connections", "ticket_updates", "ticket_attachments"}


@pytest.mark.parametrize("opinion", opinions(), ids=lambda opinion: opinion.name)
def test_the_opinion_agrees(opinion: Opinion, asking: Bench) -> None:
    assert asking.differences(opinion) == []


def test_every_table_has_an_opinion_or_no_legacy_source() -> None:
    tables = {table.name for table in target.metadata.sorted_tables}
    assert tables - {opinion.target for opinion in opinions()} == WITHOUT_SOURCE
