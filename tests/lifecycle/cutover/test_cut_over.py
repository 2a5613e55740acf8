"""A cut-over from its beginning to its end, of two databases and of one."""

from typing import Any

from remoteiq_etl.lifecycle.cutover.execute import CutOverReport
from tests.support.cutting_over import Ready

Make = Any


def test_a_migration_is_cut_over(either: Make) -> None:
    ready: Ready = either()
    ready.in_legacy("INSERT INTO tickets (title, status, priority) VALUES ('last one', 'open', 'low')")
    report = ready.cut_over()
    assert isinstance(report, CutOverReport)
    print(report)
    assert ready.stage() == "cut over"
