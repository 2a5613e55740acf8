"""A verdict is about every declared table, or says which it is about: what is not there as a whole is incomplete."""

from dataclasses import replace

import pytest

from remoteiq_etl.verify import mass_guard
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.mass_guard import ExcuseFigures
from remoteiq_etl.verify.verdicts.model import DATABASE, Status, VerificationVerdict
from tests.support.migrating import Migration
from tests.support.small_installation import TABLES
from tests.support.undoing import EVERYTHING, undone


def _gaps(verdict: VerificationVerdict) -> dict[str, str]:
    return verdict.incomplete


def test_tables_that_no_run_has_loaded_make_a_verdict_incomplete(pair: Migration) -> None:
    """A few tables were loaded, and every row of them is right: that is said of them, and not of all."""
    every = verify(pair.plan)
    assert (every.word, every.passed, every.bugs) == ("incomplete", False, 0)
    seeded = {"permissions", "roles", "role_permissions"}
    assert set(_gaps(every)) == {one.table for one in every.tables} - {*TABLES, DATABASE} | seeded
    assert (_gaps(every)["backup_jobs"], _gaps(every)["roles"]) == ("not loaded", "not loaded: the rows of seed_roles")
    named = verify(pair.plan, ["users", "sessions"])
    assert (named.passed, named.named, every.named) == (True, True, False)


def test_what_a_failed_run_has_begun_is_incomplete_until_one_completes_it(pair: Migration) -> None:
    pair.legacy.execute("UPDATE users SET name = 'New Name'")
    pair.run("users")
    pair.target.execute(
        "UPDATE remoteiq_etl.runs SET status = 'failed' WHERE id = (SELECT max(id) FROM remoteiq_etl.runs);"
        " UPDATE remoteiq_etl.assets SET run_id = run_id - 1 WHERE table_name = 'users'"
    )
    verdict = verify(pair.plan, ["users"])
    assert (verdict.word, list(_gaps(verdict))) == ("incomplete", ["users"])
    assert "did not complete it" in _gaps(verdict)["users"]
    pair.run("users")
    assert verify(pair.plan, ["users"]).passed


def test_what_other_words_have_loaded_is_incomplete(pair: Migration) -> None:
    """Words of a value map that users has, and a program that made sessions otherwise."""
    (words, *_) = (one.name for one in pair.plan.specs["devices"].value_maps)
    pair.target.execute("UPDATE remoteiq_etl.assets SET fingerprint = 'older' WHERE table_name = 'sessions'")
    verdict = verify(replace(pair.plan, words={words: {"word": "label"}}), ["devices", "sessions", "users"])
    assert (verdict.word, sorted(_gaps(verdict))) == ("incomplete", ["devices", "sessions"])
    assert "older version" in _gaps(verdict)["sessions"]


def test_nothing_is_left_to_verify_after_an_undo_of_everything(pair: Migration) -> None:
    assert verify(pair.plan, ["users"]).passed
    undone(pair, EVERYTHING)
    verdict = verify(pair.plan)
    assert (verdict.word, len(_gaps(verdict))) == ("incomplete", len(verdict.tables) - 1)  # but for the sequences


def test_an_emptied_target_is_not_explained_by_deletions(pair: Migration) -> None:
    """As after restoring the schema of the application alone: each row "was deleted in the target since it was written"."""
    pair.target.execute("SET session_replication_role = replica; DELETE FROM users; DELETE FROM personal_access_tokens")
    verdict = verify(pair.plan, ["users", "personal_access_tokens", "clients"])
    assert {one.table: one.status for one in verdict.tables} == {
        "users": Status.INCOMPLETE,
        "personal_access_tokens": Status.INCOMPLETE,
        "clients": Status.VERIFIED,
    }
    assert "20 of 20 rows" in _gaps(verdict)["users"]
    assert verify(pair.plan, ["users"], confirmed=["users"]).passed


@pytest.mark.parametrize(
    ("figures", "doubted"),
    [
        ([("users", 10, 20)], set()),  # not so many
        ([("users", 11, 20)], {"users"}),
        ([("users", 11, 200)], set()),  # no large share
        ([("users", 9, 9), ("roles", 3, 3), ("sites", 0, 2)], {"users", "roles"}),  # together
        ([("users", 9, 9), ("roles", 3, 3), ("checks", 0, 9000)], set()),
    ],
)
def test_excuses_in_bulk_are_not_believed(figures: list[tuple[str, int, int]], doubted: set[str]) -> None:
    """More than ten rows and a fifth of them, of one table or of all that were asked for."""
    assert set(mass_guard.doubted([ExcuseFigures(*one) for one in figures], ())) == doubted
