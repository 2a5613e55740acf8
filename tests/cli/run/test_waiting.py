"""How the command line says that a run waits, waited, or was stopped."""

from io import StringIO

from rich.console import Console
from rich.progress import Progress

from remoteiq_etl.backfill.context.progress import Notice
from remoteiq_etl.backfill.context.report import TableReport, Waiting
from remoteiq_etl.cli import output
from remoteiq_etl.cli.run import progress, run, summary
from remoteiq_etl.orchestration.jobs.execute import JobOutcome

NOTICE = Notice("users", "waits, because replay_lag of the target is 70.0 s (pause at 60.0 s)")


def recorded() -> Console:
    return Console(file=StringIO(), width=200, force_terminal=False)


def text_of(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_notice_is_said_at_once_in_a_log_and_on_a_terminal() -> None:
    log, terminal = recorded(), recorded()
    progress.Lines(log, tables=1).noticed(NOTICE)
    progress.Bars(Progress(console=terminal), tables=1).noticed(NOTICE)
    assert "users waits, because replay_lag of the target is 70.0 s" in text_of(log)
    assert text_of(log) == text_of(terminal)


def test_the_summary_says_what_made_the_run_wait_the_longest_first() -> None:
    console, reports = recorded(), {}
    for name, waited in {"users": {"paused": 61.0}, "agents": {"paused": 1.0, "replay_lag": 90.0}}.items():
        reports[name] = TableReport(name, waited=waited)
        reports[name].account(name, primary=True).read = 1
    summary.show(reports, console, title="What the run did")
    assert "Waited 1 min 30 s for replay_lag, 1 min 02 s for paused." in text_of(console)
    assert summary.as_json(reports)["agents"]["waited"] == {"paused": 1.0, "replay_lag": 90.0}


def test_tables_that_end_with_the_same_words_are_named_together() -> None:
    outcome = JobOutcome(
        "1", success=False, reports={}, errors={"users": "stopped", "roles": "stopped", "sites": "gone"}
    )
    assert run._by_text(outcome.errors) == {"stopped": ["users", "roles"], "gone": ["sites"]}


def test_only_rows_that_nobody_ignores_ask_for_attention() -> None:
    report = TableReport("users")
    account = report.account("users", primary=True)
    account.outcomes["quarantined"], account.outcomes["held"] = 3, 2
    report.waiting = Waiting(quarantined=3, ignored=2)
    assert report.needs_attention == 3
    report.waiting = Waiting(quarantined=5, ignored=5)  # of them some were not read by this run
    assert report.needs_attention == 2


def test_an_age_has_one_unit() -> None:
    ages = {
        None: "-",
        -1.0: "0 s",
        119.0: "119 s",
        120.0: "2 min",
        7_199.0: "120 min",
        7_200.0: "2 h",
        200_000.0: "2 d",
    }
    assert {seconds: output.age(seconds) for seconds in ages} == ages
