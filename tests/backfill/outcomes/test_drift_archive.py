"""What an operator accepted of the legacy database's drift goes into the archive, row by row and with its account."""

from dataclasses import replace

import pytest
from psycopg import sql

from remoteiq_etl.backfill.context.plan import Extra
from remoteiq_etl.backfill.context.report import Ledger, TableReport
from remoteiq_etl.backfill.outcomes.drift_archive import RULE, archive_extras, extra_query
from remoteiq_etl.frames.row_keys import key_text
from tests.assets.builders import uid
from tests.support.library import Library

ARCHIVED = "SELECT legacy_key, \"column\", value #>> '{}', withheld FROM remoteiq_etl.legacy_archive ORDER BY 1, 2"
#: Beside what no rule reads, as if it were such: of books two columns, tags as a whole, authors without a key.
TITLES, TAGS, AUTHORS = (
    Extra("books", ("id",), ("isbn", "pin")),
    Extra("book_tags", ("book_id", "tag")),
    Extra("authors", ()),
)


class Unhurried:
    def before_table(self, report: TableReport) -> None:
        """Go on."""

    def before_batch(self, report: TableReport) -> None:
        """Go on."""


def archived(library: Library, *extras: Extra, planning: bool = False) -> TableReport:
    plan = replace(library.context.plan, extras=extras, planning=planning, batch_rows=2)
    return archive_extras(replace(library.context, plan=plan), Unhurried())


def test_columns_are_archived_under_the_key_of_their_row_where_they_have_a_value(library: Library) -> None:
    """Of four books the newest has no PIN. Again, nothing is written twice."""
    for _ in range(2):
        report = archived(library, TITLES)
        library.context.session.execute("DELETE FROM remoteiq_etl.ledger WHERE table_name = %s", [RULE])
    found = [(key, column, value) for key, column, value, _ in library.rows(ARCHIVED)]
    assert [row for row in found if row[1] == "isbn"] == [
        (uid(number), "isbn", f"isbn-{number}") for number in (1, 2, 3, 5)
    ]
    assert len(found) == 7
    assert (report.table, report.total(Ledger.ARCHIVED), report.beside) == (RULE, 4, True)
    assert {(one.column, one.rows) for one in report.archived} == {("isbn", 4), ("pin", 3)}


def test_rows_of_an_unknown_table_are_archived_whole_and_each_batch_has_its_account(library: Library) -> None:
    archived(library, TAGS)
    key = key_text([uid(1), "long"])
    assert library.rows(ARCHIVED)[0][:3] == (key, "*", f'{{"tag": "long", "book_id": "{uid(1)}"}}')
    ledger = "SELECT batch, read, outcomes FROM remoteiq_etl.ledger WHERE table_name = %s ORDER BY 1"
    assert library.rows(ledger, RULE) == [(number, 2, {"archived only": 2}) for number in (1, 2, 3)]


def test_rows_that_nothing_keeps_apart_are_known_by_their_hash(library: Library) -> None:
    query = extra_query(library.context, AUTHORS)
    keys = {row[0] for row in library.context.snapshot.session.rows(query)}
    assert {len(key) for key in keys} == {32}
    assert len(keys) == 3
    twice = sql.SQL(query.as_string(None).replace('"public"."authors"', "(SELECT 'a' AS name UNION ALL SELECT 'a')"))
    assert sorted(row[0][32:] for row in library.context.snapshot.session.rows(twice)) == ["", "#2"]


@pytest.mark.parametrize("planning", [True, False])
def test_a_plan_only_counts(library: Library, planning: bool) -> None:
    report = archived(library, TITLES, TAGS, planning=planning)
    assert {table: account.read for table, account in report.accounts.items()} == {"books": 4, "book_tags": 6}
    assert bool(library.rows(ARCHIVED)) is not planning


def test_a_key_that_is_a_secret_stands_in_no_archive(library: Library) -> None:
    plain, secret = (extra_query(library.context, Extra("books", (key,))).as_string(None) for key in ("id", "api_key"))
    assert '"id"::text' in plain
    assert '"api_key"::text' not in secret
    assert "encode(" in secret
