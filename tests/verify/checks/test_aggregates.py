"""Both servers find the same rows, nulls, sums, minima and maxima; a difference is that of rows which other checks name."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import BigInteger, Date, Double, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

from remoteiq_etl.sensitive.redaction import is_secret
from remoteiq_etl.verify.checks.aggregates import AGGREGATES, NamedRows, Sort, aggregates_of, sort_of
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.expected.expectation import expectations
from remoteiq_etl.verify.snapshots import verification_context
from remoteiq_etl.verify.verdicts.model import Aggregate, AggregateFigures, Finding, FindingKind, Label, TableVerdict
from schemas import legacy
from tests.support.migrating import Migration

CARRIED = sorted({expectation.target for expectation in expectations() if expectation.carried})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def one(migration: Migration, table: str, **more: bool) -> TableVerdict:
    (found,) = verify(migration.plan, [table], **more).tables
    assert found.error is None
    return found


def of_check(verdict: TableVerdict) -> list[tuple[str, Label, tuple[str, ...]]]:
    return [(found.detail, found.label, found.columns) for found in verdict.findings if found.check == AGGREGATES]


def column(verdict: TableVerdict, name: str) -> Aggregate:
    (found,) = [aggregate for aggregate in verdict.aggregates if aggregate.column == name]
    return found


def added_up(sort: Sort, values: list[Any]) -> AggregateFigures:
    """The figures of a column's values, worked out here."""
    there = [value for value in values if value is not None]
    nulls = len(values) - len(there)
    if sort is Sort.OTHER or not there:
        return AggregateFigures(len(values), nulls)
    if sort is Sort.BOOLEAN:
        return AggregateFigures(len(values), nulls, str(sum(there)))
    if sort is Sort.NUMBER:
        return AggregateFigures(len(values), nulls, *map(str, (sum(there), min(there), max(there))))
    spans = [value - EPOCH for value in there]
    total = sum((span.days * 86_400 + span.seconds) * 10**6 + span.microseconds for span in spans)
    return AggregateFigures(len(values), nulls, str(total), shown(min(there)), shown(max(there)))


def shown(moment: datetime) -> str:
    """As the server writes it."""
    fraction = f".{moment.microsecond:06}".rstrip("0") if moment.microsecond else ""
    return f"{moment:%Y-%m-%d %H:%M:%S}{fraction}+00"


def test_the_figures_of_both_sides_are_those_of_the_rows_that_were_carried(migrated: Migration) -> None:
    """Added up here once more, from the values of each side; of the edge cases every table has the same on both."""
    sorts = set()
    with verification_context(migrated.plan) as place, place.pair() as look:
        for table in CARRIED:
            for aggregates in aggregates_of(look, table):
                of_map = (
                    f"SELECT legacy_key::text FROM remoteiq_etl.map_{table} WHERE legacy_table = %s AND state = 'live'"
                )
                keys = [key for (key,) in migrated.query(of_map, aggregates.source.name)]
                for found in aggregates.of_rows():
                    (key,) = aggregates.source.key_columns
                    value = (
                        f"CASE WHEN {found.legacy_column}::text NOT LIKE '%%infinity' THEN {found.legacy_column} END"
                    )
                    query = f"SELECT {value} FROM {found.legacy_table} WHERE {key}::text = ANY (%s)"
                    with migrated.legacy.connect() as connection:
                        connection.execute("SET timezone = 'UTC'")
                        values = [row[0] for row in connection.execute(query.encode(), [keys]).fetchall()]
                    assert found.legacy == added_up(Sort(found.sort), values), (table, found.column)
                    assert found.is_equal, (table, found.column)
                    sorts |= {found.sort} if found.legacy.sum else set()
    assert sorts == {"number", "boolean", "time"}


def test_no_figure_is_that_of_a_secret(migrated: Migration) -> None:
    with verification_context(migrated.plan) as place, place.pair() as look:
        shown = [
            (one.source, name)
            for table in CARRIED
            for one in aggregates_of(look, table)
            for name in one.columns.values()
        ]
    assert len(shown) > 20
    assert not [name for source, name in shown if is_secret(source.table.columns[name])]
    assert is_secret(legacy.metadata.tables["legacy.users"].columns.password_hash)


@pytest.mark.parametrize(
    ("kind", "sort"),
    [(BigInteger(), "number"), (Double(), "number"), (TIMESTAMP(timezone=True), "time"), (Date(), "time"),
     (Text(), "other"), (UUID(), "other"), (JSONB(), "other")],
)  # fmt: skip
def test_only_numbers_booleans_and_times_are_added_up(kind: Any, sort: str) -> None:
    assert sort_of(kind) == sort


def test_a_difference_of_an_edited_row_is_called_an_edit_and_the_figures_are_kept(copy: Migration) -> None:
    copy.target.execute(
        "UPDATE backup_jobs SET size_bytes = size_bytes + 7, verified = NOT verified"
        " WHERE id = (SELECT min(id::text)::uuid FROM backup_jobs WHERE size_bytes IS NOT NULL)"
    )
    verdict = one(copy, "backup_jobs")
    why = "1 row that other checks name is why"
    assert sorted(of_check(verdict)) == [
        ("both servers come to another sum, minimum, maximum; " + why, Label.EDITED_IN_TARGET, ("size_bytes",)),
        ("both servers come to another sum; " + why, Label.EDITED_IN_TARGET, ("verified",)),
    ]
    bytes_ = column(verdict, "size_bytes")
    assert Decimal(bytes_.target.sum or 0) - Decimal(bytes_.legacy.sum or 0) == 7
    assert column(verdict, "duration_sec").is_equal
    check = next(check for check in verdict.checks if check.name == AGGREGATES)
    assert (check.unit, check.looked_at, check.differences, check.bugs) == ("columns", 4, 2, 0)
    ((kept,),) = copy.query("SELECT aggregates FROM remoteiq_etl.verifications WHERE table_name = 'backup_jobs'")
    assert [Aggregate.from_json(found) for found in kept] == list(verdict.aggregates)


def test_a_difference_that_no_named_row_explains_is_a_bug(copy: Migration) -> None:
    """One row was edited and is named, another was, too, and no other check has said so."""
    rows = (
        "SELECT legacy_key::text FROM remoteiq_etl.map_check_runs AS m JOIN check_runs AS t ON t.id = m.new_key"
        " WHERE t.finished_at IS NOT NULL ORDER BY 1 LIMIT 2"
    )
    (named,), (silent,) = copy.query(rows)
    copy.target.execute(
        "UPDATE check_runs SET finished_at = finished_at + interval '1 microsecond' WHERE id IN"
        f" (SELECT new_key FROM remoteiq_etl.map_check_runs WHERE legacy_key IN ('{named}', '{silent}'))"
    )
    edit = Finding(
        "check_runs",
        "opinion",
        FindingKind.CHANGED,
        Label.EDITED_IN_TARGET,
        "",
        None,
        "check_runs",
        named,
        ("finished_at",),
    )
    with verification_context(copy.plan) as place, place.pair() as look, look.of_table({}):
        (aggregates,) = aggregates_of(look, "check_runs")
        found = aggregates.of_rows()
        labels = {}
        for what, keys in {"nobody": (), "one": (named,), "both": (named, silent)}.items():
            noted = NamedRows()
            list(noted.watch(Finding(**{**vars(edit), "legacy_key": key}) for key in keys))
            (finding,) = aggregates.findings(found, noted)
            labels[what] = finding.label
            assert finding.columns == ("finished_at",)
    assert labels == {"nobody": Label.BUG, "one": Label.BUG, "both": Label.EDITED_IN_TARGET}


def test_an_infinite_time_counts_as_none_in_legacy_and_as_a_value_in_the_target(copy: Migration) -> None:
    run = "(SELECT id FROM check_runs WHERE finished_at IS NOT NULL ORDER BY id LIMIT 1)"
    before = column(one(copy, "check_runs"), "finished_at")
    copy.legacy.execute(f"UPDATE check_runs SET finished_at = 'infinity' WHERE id = {run}")
    copy.target.execute(f"UPDATE check_runs SET finished_at = '-infinity' WHERE id = {run}")
    after = column(one(copy, "check_runs"), "finished_at")
    assert after.legacy.nulls == before.legacy.nulls + 1
    assert (after.target.nulls, after.target.rows) == (before.target.nulls, before.target.rows)
    assert "nulls" in after.differing


def test_a_row_that_was_edited_before_the_last_look_still_explains_the_sums(copy: Migration) -> None:
    """The next look compares again what was written since, and rows whose checksums differ."""
    edit = "UPDATE check_runs SET finished_at = finished_at + interval '1 hour' WHERE id = '{}'"
    first, second = (
        row[0] for row in copy.query("SELECT id FROM check_runs WHERE finished_at IS NOT NULL ORDER BY id LIMIT 2")
    )
    copy.target.execute(edit.format(first))
    assert [found[1] for found in of_check(one(copy, "check_runs"))] == [Label.EDITED_IN_TARGET]
    copy.target.execute(edit.format(second))
    again = one(copy, "check_runs")
    assert [found[1:] for found in of_check(again)] == [(Label.EDITED_IN_TARGET, ("finished_at",))]
    hours = Decimal(column(again, "finished_at").target.sum or 0) - Decimal(
        column(again, "finished_at").legacy.sum or 0
    )
    assert hours == 2 * 3600 * 10**6


def test_a_quick_look_adds_nothing_up(copy: Migration) -> None:
    assert one(copy, "backup_jobs", quick=True).aggregates == ()


def test_the_worst_label_of_the_rows_that_differ_in_a_column_is_that_of_the_column() -> None:
    def finding(key: str, label: Label, *columns: str) -> Finding:
        return Finding("roles", "opinion", FindingKind.CHANGED, label, "", None, "roles", key, columns)

    named = NamedRows()
    found = [
        finding("1", Label.HELD, "a"),
        finding("2", Label.EDITED_IN_TARGET, "a", "b"),
        finding("3", Label.BUG, "c"),
    ]
    assert list(named.watch(found)) == found
    assert [named.label("roles", name) for name in "abcd"] == [
        Label.EDITED_IN_TARGET, Label.EDITED_IN_TARGET, Label.BUG, Label.BUG,
    ]  # fmt: skip
    assert (named.label("users", "a"), named.has("roles", "2"), named.has("roles", "4")) == (None, True, False)
