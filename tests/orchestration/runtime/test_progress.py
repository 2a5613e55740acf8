"""Who hears of progress, and how often."""

import logging

import pytest

from remoteiq_etl.backfill.context.progress import Silent, TableProgress
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.orchestration.runtime.progress import LogProgress, attached, listening


class Heard:
    def __init__(self) -> None:
        self.tables: list[str] = []

    def progressed(self, progress: TableProgress) -> None:
        self.tables.append(progress.table)

    def finished(self, report: TableReport) -> None:
        self.tables.append(f"{report.table} done")

    def warned(self, text: str) -> None:
        self.tables.append(f"warned: {text}")


def report(table: str) -> TableReport:
    done = TableReport(table)
    account = done.account("agents", primary=True)
    account.read, account.outcomes["inserted"], account.outcomes["held"] = 1200, 1199, 1
    return done


def test_nobody_listens_unless_attached() -> None:
    assert isinstance(attached(), Silent)


def test_a_listener_hears_within_the_block_only() -> None:
    heard = Heard()
    with listening(heard):
        assert attached() is heard
    assert attached() is not heard


def test_every_event_reaches_the_audience() -> None:
    heard = Heard()
    progress = LogProgress(heard)
    progress.progressed(TableProgress("users", 0, 10, 0.0))
    progress.finished(report("users"))
    assert heard.tables == ["users", "users done"]


def test_the_log_gets_a_line_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("test_progress")
    progress = LogProgress(Silent(), every=3600)
    with caplog.at_level(logging.INFO, log.name):
        progress.starts(log)
        progress.progressed(TableProgress("users", 10, 100, 1.0))
        progress.every = 0
        progress.progressed(TableProgress("users", 50_000, 200_000, 10.0))
        progress.part_made("fk_users_organization_id", 3, 90)
        progress.finished(report("agents"))
    assert caplog.messages == [
        "users: 50,000 of 200,000 rows, 5,000 rows/s, 30 s left",
        "3 of 90 keys and indexes, the last one fk_users_organization_id",
        "agents: 1,200 read, 1,199 inserted, 1 held",
    ]


def test_a_table_without_rows_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        LogProgress(Silent()).finished(TableReport("automations"))
    assert caplog.messages == ["automations: no rows"]


def test_dagsters_log_shows_the_control_characters_of_a_name(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    progress = LogProgress(Silent())
    progress.finished(TableReport("users\x1b[2J"))
    progress.warned("pc-1\u202e\r")
    assert caplog.messages == [r"users\u001b[2J: no rows", r"pc-1\u202e\u000d"]
