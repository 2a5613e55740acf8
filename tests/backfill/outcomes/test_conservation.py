"""Every row to be read was read, has one outcome, and what is ours adds up: else the load fails."""

from dataclasses import replace

import pytest

from remoteiq_etl.backfill.context.report import Ledger, TableReport
from remoteiq_etl.backfill.outcomes.conservation import check_ours, check_read, mapped_rows
from remoteiq_etl.errors import ConservationError
from tests.assets.builders import uid
from tests.support.library import BOOKS, Library


def report(read: int = 3, recreated: int = 0, removed: int = 0, **outcomes: int) -> TableReport:
    made = TableReport("books", recreated=recreated, removed=removed)
    account = made.account("books", primary=True)
    account.read = read
    account.outcomes.update({Ledger[name]: rows for name, rows in outcomes.items()})
    return made


def test_every_row_of_the_snapshot_is_read_and_has_one_outcome() -> None:
    whole = report(INSERTED=2, QUARANTINED=1)
    check_read(BOOKS, whole, {"books": 3})
    with pytest.raises(ConservationError, match="the snapshot holds 4 rows, 3 were read and 3 are accounted for"):
        check_read(BOOKS, whole, {"books": 4})
    with pytest.raises(ConservationError, match="3 were read and 2 are accounted for"):
        check_read(BOOKS, report(INSERTED=2), {"books": 3})
    beside = replace(BOOKS, sources=(replace(BOOKS.streamed[0], primary=False),))
    check_read(beside, report(INSERTED=2), {"books": 3})


@pytest.mark.parametrize(
    ("made", "before", "after"),
    [
        (report(INSERTED=2), (4, 0), (6, 0)),
        (report(INSERTED=2, recreated=1), (3, 1), (5, 0)),
        (report(removed=1), (4, 1), (3, 1)),
        (report(UPDATED=3), (4, 0), (3, 1)),
    ],
)
def test_ours_are_those_of_before_and_the_inserted_without_the_removed(
    made: TableReport, before: tuple[int, int], after: tuple[int, int]
) -> None:
    """One that was deleted in the target counts until it is made again, and then once."""
    check_ours(BOOKS, made, before, after)
    with pytest.raises(
        ConservationError, match=f"books: {sum(before)} rows were ours, .* {sum(after) + 1} are mapped now"
    ):
        check_ours(BOOKS, made, before, (after[0] + 1, after[1]))


def test_adopted_rows_are_none_of_ours(library: Library) -> None:
    assert mapped_rows(library.context, BOOKS) == (4, 0)
    library.context.session.execute(
        f"UPDATE remoteiq_etl.legacy_books_map SET adopted = true WHERE legacy_key = '{uid(1)}';"
        f" UPDATE remoteiq_etl.legacy_books_map SET state = 'deleted' WHERE legacy_key = '{uid(2)}';"
        f" UPDATE remoteiq_etl.legacy_books_map SET state = 'merged' WHERE legacy_key = '{uid(3)}'"
    )
    assert mapped_rows(library.context, BOOKS) == (1, 1)
