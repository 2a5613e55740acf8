"""Every opinion agrees with what the edge-case database became."""

import pytest

from remoteiq_etl.verify.expected.expectation import Expectation, OneRow, expectations, parse
from schemas import target
from tests.verify.conftest import Bench

# mapping.md: no legacy source, they stay empty.
WITHOUT_SOURCE = {"automations", "automation_runs", "storage_connections", "ticket_updates", "ticket_attachments"}


@pytest.mark.parametrize("expectation", expectations(), ids=lambda expectation: expectation.name)
def test_the_opinion_agrees(expectation: Expectation, asking: Bench) -> None:
    assert asking.differences(expectation) == []


def test_every_table_has_an_opinion_or_no_legacy_source() -> None:
    tables = {table.name for table in target.metadata.sorted_tables}
    assert tables - {expectation.target for expectation in expectations()} == WITHOUT_SOURCE


def test_an_opinion_says_on_which_single_rows_a_row_depends() -> None:
    text = "-- rows: jobs\n-- reads: agents, sites, users\n-- each row: agents by agent_id, sites by agents.site_id\nSELECT 1"
    expectation = parse(text, "tasks", "automation")
    assert expectation.each_row == (
        OneRow("jobs"),
        OneRow("agents", "agent_id"),
        OneRow("sites", "site_id", of="agents"),
    )
    assert expectation.looks_at == ("agents", "sites", "users", "jobs")


def test_what_a_row_depends_on_is_read() -> None:
    for expectation in expectations():
        assert {one.table for one in expectation.each_row} <= set(expectation.looks_at), expectation.name
        assert {one.of for one in expectation.each_row if one.of} <= {one.table for one in expectation.each_row}, (
            expectation.name
        )
        # Rows are named by the own row, so that there is one.
        assert not expectation.each_row or any(one.column is None for one in expectation.each_row), expectation.name
