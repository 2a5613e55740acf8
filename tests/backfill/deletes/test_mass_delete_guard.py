"""The brake: what is suspicious, what stands still with it, and what a confirmation lifts."""

import pytest

from remoteiq_etl.backfill.deletes.mass_delete_guard import DeleteFigures, guarded


def figures(
    asset: str, gone: int = 0, mapped: int = 100, legacy_rows: int | None = 50, table: str = ""
) -> DeleteFigures:
    return DeleteFigures(asset, table or asset, legacy_rows, mapped, gone)


@pytest.mark.parametrize(
    ("gone", "mapped", "stops"),
    [(10, 11, False), (11, 54, True), (11, 55, False), (20, 100, False), (21, 100, True), (0, 0, False)],
)
def test_more_than_a_fifth_and_more_than_ten_rows_are_suspicious(gone: int, mapped: int, stops: bool) -> None:
    assert bool(guarded([figures("tickets", gone, mapped)], {}, {}, ())) is stops


@pytest.mark.parametrize(("mapped", "stops"), [(1, True), (0, False)])
def test_an_empty_table_is_suspicious_when_it_had_a_row(mapped: int, stops: bool) -> None:
    assert bool(guarded([figures("roles", mapped, mapped, legacy_rows=0)], {}, {}, ())) is stops


def test_derived_rows_are_no_table_that_could_be_empty() -> None:
    assert not guarded([figures("clients", 1, 1, legacy_rows=None, table="derived")], {}, {}, ())


def test_what_depends_on_it_stands_still_and_what_does_not_goes_on() -> None:
    depends = {"runs": ["tasks"], "results": ["runs"], "tickets": ["users"]}
    found = guarded([figures("tasks", 50), figures("tickets", 1)], {}, depends, ())
    assert set(found) == {"tasks", "runs", "results"}
    assert found["results"] == "it depends on runs, about which nothing is done"


def test_what_reads_the_table_stands_still_but_not_what_depends_on_that() -> None:
    """Clients are made of tickets too; agents are not, though they depend on clients."""
    reads, depends = {"clients": ["tickets", "devices"]}, {"agents": ["clients"]}
    assert set(guarded([figures("tickets", 50)], reads, depends, ())) == {"tickets", "clients"}


def test_a_confirmation_names_the_asset_the_legacy_table_or_what_derived_rows_are_made_of() -> None:
    of_legacy = figures("user_security", 50, table="users")
    assert not guarded([of_legacy], {}, {}, ["users"])
    assert not guarded([of_legacy], {}, {}, ["user_security"])
    assert guarded([of_legacy], {}, {}, ["roles"])
    derived = figures("contacts", 50, legacy_rows=None, table="derived")
    assert not guarded([derived], {"contacts": ["tickets"]}, {}, ["tickets"])
    assert guarded([figures("user_security", 50, table="users")], {"user_security": ["roles"]}, {}, ["roles"])


def test_what_cannot_be_read_cannot_be_confirmed() -> None:
    found = guarded([DeleteFigures("users", "users", unreadable="public.users does not exist")], {}, {}, ["users"])
    assert found == {"users": "public.users does not exist. Nothing is known of its rows; mend that and look again."}


def test_the_text_names_figures_and_what_to_do() -> None:
    text = figures("user_security", 50, table="users").text
    assert "50 of the 100 mapped rows of user_security from users are gone" in text
    assert text.endswith("--confirm users.")
    assert figures("contacts", 50, legacy_rows=None, table="derived").text.endswith("--confirm contacts.")
