"""Every legacy row comes back through its view, or something names why not; what nothing names is a BUG."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from remoteiq_etl.errors import ViewsError
from remoteiq_etl.inverse.inverse import Recovery, inverses
from remoteiq_etl.inverse.round_trip import Reason, RoundTrip, TableRoundTrip, round_trip
from tests.inverse.conftest import opened
from tests.support.migrating import Migration

#: Columns of which every value comes back, with the archive or without. It may only rise.
EXACT = 255


@pytest.fixture(scope="module")
def found(shown: Migration) -> RoundTrip:
    return round_trip(shown.plan)


def of(found: RoundTrip, table: str) -> TableRoundTrip:
    return next(one for one in found.tables if one.table == table)


def test_the_edge_cases_come_back_but_for_what_is_explained(found: RoundTrip) -> None:
    assert [(one.table, one.bugs) for one in found.tables if one.bugs] == []
    assert (found.exact, found.all) == (EXACT, 319)
    assert found.passed


def test_a_column_is_said_to_be_lost_only_where_a_value_of_the_edge_cases_is(found: RoundTrip) -> None:
    """Else it would be called lost without need. What no edge case shows is named here."""
    lost = {
        f"{one.table}.{name}"
        for one in found.tables
        for name, recovery in one.inexact
        if recovery.recovery is Recovery.LOST and not one.columns.get(name, Counter())[Reason.LOST]
    }
    assert lost == UNSEEN


#: Columns whose loss no edge case shows.
UNSEEN = {
    "agent_jobs.payload",
    "agents.logged_in_user",
    "agents.primary_ip",
    "backup_jobs.cancelled",
    "branding_settings.created_at",
    "devices.status",
    "dkim_keys.private_key",
    "dkim_keys.updated_at",
    "jobs.started_at",
    "role_meta.updated_at",
    "support_legal_settings.updated_at",
}


def test_rows_that_are_not_in_a_view_are_those_that_wait_or_became_no_row(found: RoundTrip) -> None:
    left = {one.table: one.rows - one.shown for one in found.tables}
    assert left == {one.table: one.reasons.total() for one in found.tables}
    assert {reason for one in found.tables for reason in one.reasons} <= {
        Reason.QUARANTINED,
        Reason.HELD,
        Reason.MERGED,
    }
    assert of(found, "users").reasons == {Reason.QUARANTINED: 8}
    assert of(found, "sessions").reasons == {Reason.QUARANTINED: 3, Reason.HELD: 1, Reason.MERGED: 1}


WRONG = {
    "a value": ("users", "two_factor_enabled", "NOT v.two_factor_enabled AS two_factor_enabled", ""),
    "the archive's value": ("users", "email", "lower(v.email) AS email", ""),
    "a key": ("tickets", "id", "md5(v.id::text)::uuid AS id", ""),
    "a parent": ("check_assignments", "device_id", "'d0000001-0000-4000-8000-000000000000'::text AS device_id", ""),
    "rows that are not shown": ("jobs", "id", "v.id", "WHERE v.status <> 'succeeded'"),
    "rows that are shown twice": ("backup_jobs", "id", "v.id", "CROSS JOIN (VALUES (1), (2)) AS two (n)"),
}


@pytest.mark.parametrize(("table", "column", "wrong", "more"), WRONG.values(), ids=WRONG)
def test_a_planted_wrong_inverse_is_found(shown: Migration, table: str, column: str, wrong: str, more: str) -> None:
    """The view keeps its comment, so that nothing but the rows says that it is wrong."""
    with planted(shown, table, column, wrong, more):
        found = round_trip(shown.plan, [table])
    assert not found.passed
    assert round_trip(shown.plan, [table]).passed


@contextmanager
def planted(shown: Migration, table: str, column: str, wrong: str, more: str) -> Iterator[None]:
    right = shown.query(f"SELECT pg_get_viewdef('remoteiq_legacy.{table}'::regclass)")[0][0].rstrip(";")
    columns = [one.name for one in inverses()[table].table.columns]
    listed = ", ".join(wrong if name == column else f'v."{name}"' for name in columns)
    shown.target.execute(
        f"CREATE OR REPLACE VIEW remoteiq_legacy.{table} AS SELECT {listed} FROM ({right}) AS v {more}"
    )
    try:
        yield
    finally:
        shown.target.execute(f"CREATE OR REPLACE VIEW remoteiq_legacy.{table} WITH (security_barrier) AS {right}")


def test_an_edit_in_the_target_and_a_change_of_legacy_are_no_bugs(again: Migration) -> None:
    with opened(again) as views:
        views.install()
    again.target.execute(
        "UPDATE tickets SET subject = 'Something else' WHERE id = '7c000001-0000-4000-8000-000000000000'"
    )
    again.target.execute("UPDATE clients SET name = 'Renamed' WHERE name = 'Globex'")
    again.target.execute("DELETE FROM trusted_devices WHERE id = '7d000001-0000-4000-8000-000000000000'")
    again.legacy.execute("UPDATE users SET phone = '+1 555 0100' WHERE id = 'c5000000-0000-4000-8000-000000000001'")
    again.legacy.execute("DELETE FROM login_challenges WHERE id = '1c000001-0000-4000-8000-000000000000'")
    again.legacy.execute("INSERT INTO roles (name) VALUES ('Later')")
    found = round_trip(again.plan)
    assert [(one.table, one.bugs) for one in found.tables if one.bugs] == []
    assert of(found, "tickets").columns["title"] == {Reason.EDITED: 1}
    assert (
        of(found, "devices").columns["client"][Reason.LOST] + of(found, "devices").columns["client"][Reason.EDITED] > 1
    )
    assert of(found, "trusted_devices").reasons[Reason.EDITED] == 1
    assert of(found, "users").columns["phone"] == {Reason.CHANGED: 1}
    assert of(found, "login_challenges").reasons[Reason.CHANGED] == 1
    assert of(found, "roles").reasons == {Reason.CHANGED: 1}


def test_without_views_there_is_no_round_trip(again: Migration) -> None:
    with pytest.raises(ViewsError, match="Run remoteiq-etl views install"):
        round_trip(again.plan, ["users"])
