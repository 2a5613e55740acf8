"""The summary and the progress in every width, and as what a log gets."""

from io import StringIO

import pytest
from rich.console import Console

from remoteiq_etl.backfill.context.progress import TableProgress
from remoteiq_etl.backfill.context.report import BatchAccount, Ledger, TableReport
from remoteiq_etl.cli import output
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.run import progress, summary


def report(table: str = "users", **outcomes: int) -> TableReport:
    account = BatchAccount(table, primary=True, read=sum(outcomes.values()))
    account.outcomes.update({Ledger[name]: count for name, count in outcomes.items()})
    return TableReport(table, {table: account}, seconds=2.0)


EVERY = report("organization_setting_audits", **{outcome.name: 1_234_567 for outcome in Ledger})


def shown(reports: list[TableReport], width: int) -> str:
    file = StringIO()
    summary.show({one.table: one for one in reports}, Console(file=file, width=width), title="What the run did")
    return file.getvalue()


@pytest.mark.parametrize("width", [80, 100, 140, 200])
def test_the_summary_fits_and_loses_no_number(width: int) -> None:
    text = shown([EVERY, report(INSERTED=3)], width)
    assert max(map(len, text.splitlines())) <= width
    assert text.count("1,234,567") >= len(Ledger)
    assert all(head in text for head in summary.HEADS.values())


def test_outcomes_that_do_not_occur_take_no_room() -> None:
    text = shown([report(INSERTED=3, HELD=1), report("clients")], 100)
    assert "held" in text
    assert "adopted" not in text
    assert "Without legacy rows: clients." in text


def unchanged(table: str) -> TableReport:
    return TableReport(table, {table: BatchAccount(table, primary=True)}, reading="nothing changed")


def test_tables_in_which_nothing_changed_are_counted_and_not_listed() -> None:
    text = shown([report(INSERTED=3), unchanged("clients"), unchanged("sites")], 100)
    assert "Nothing changed in 2 tables." in text
    assert "clients" not in text


def test_the_summary_says_what_was_read_and_why() -> None:
    full, some = report("roles", INSERTED=1), report("users", UPDATED=2)
    full.reading, some.reading = "full: first pass", "changed rows"
    text = shown([full, some], 100)
    assert "Read full: first pass: roles." in text
    assert "Read changed rows: users." in text
    some.reading = full.reading
    assert "Read full: first pass: all of them." in shown([full, some], 100)


def test_rows_that_wait_decide_the_exit_code() -> None:
    assert summary.exit_code({"users": report(INSERTED=3, FILTERED=1, CONFLICT=1)}) is Exit.DONE
    assert summary.exit_code({"users": report(QUARANTINED=1)}) is Exit.ATTENTION
    assert summary.exit_code({"users": report(HELD=1)}) is Exit.ATTENTION


def test_every_outcome_has_a_head() -> None:
    assert set(summary.HEADS) == set(Ledger)


def test_a_log_gets_a_line_for_every_table_and_now_and_then_for_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    file = StringIO()
    with progress.shown(1, Console(file=file, width=80), afterwards="keys and indexes") as listener:
        listener.progressed(TableProgress("users", 0, 4_000, 0.0))
        listener.progressed(TableProgress("users", 1_000, 4_000, 1.0))
        monkeypatch.setattr(progress, "LOG_PAUSE", 0.0)
        listener.progressed(TableProgress("users", 2_000, 4_000, 1.0))
        listener.finished(report(INSERTED=4_000))
    assert file.getvalue().splitlines() == [
        "users: 2,000 of 4,000 rows, 2,000 rows/s, 1.0 s left",
        "users: 4,000 rows in 2.0 s, 2,000 rows/s",
        "keys and indexes …",
    ]


def test_a_terminal_gets_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    file = StringIO()
    console = Console(file=file, width=100, force_terminal=True)
    with progress.shown(2, console, afterwards="keys and indexes") as listener:
        listener.progressed(TableProgress("users", 2_000, 4_000, 1.0))
        assert isinstance(listener, progress.Bars)
        listener.bars.refresh()
        slow = report(INSERTED=4_000)
        slow.seconds = progress.WORTH_A_LINE
        listener.finished(slow)
        listener.finished(report("roles"))
        listener.bars.refresh()
    text = file.getvalue()
    assert "2,000 of 4,000 rows, 2,000 rows/s, 1.0 s left" in text
    assert "users: 4,000 rows in 5.0 s" in text
    assert "2 of 2, now keys and indexes" in text


def test_numbers_and_times_are_for_people() -> None:
    assert [output.number(value) for value in (0, 12, 1234567)] == ["-", "12", "1,234,567"]
    assert [output.duration(value) for value in (None, 1.25, 75, 7_260)] == ["-", "1.2 s", "1 min 15 s", "2 h 01 min"]
