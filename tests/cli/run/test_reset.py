"""`reset`: it shows what it would forget, and does it when told so."""

import json

from tests.cli.conftest import Cli, Migrated

DEVICE, TOKEN = "d0000001-0000-4000-8000-000000000000", "ab000001-0000-4000-8000-000000000000"


def _description(migrated: Migrated) -> str:
    with migrated.target.connect() as connection:
        query = f"SELECT description FROM personal_access_tokens WHERE id = '{TOKEN}'"
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])


def test_without_yes_it_only_shows_what_it_would_do(cli: Cli, migrated: Migrated) -> None:
    migrated.target.execute(f"UPDATE devices SET operating_system = 'plan9' WHERE id = '{DEVICE}'")
    ended = cli("reset", "devices", legacy=migrated.legacy, target=migrated.target)
    assert ended.code == 0
    assert "29 still as we wrote them" in ended.out
    assert "1 edited in the target: become conflicts" in ended.out
    assert "Nothing was changed. Say it again with --yes" in ended.out
    with migrated.target.connect() as connection:
        assert connection.execute("SELECT count(*) FROM remoteiq_etl.resets").fetchone() == (0,)


def test_with_yes_the_row_is_migrated_again_and_its_edit_is_a_conflict(cli: Cli, migrated: Migrated) -> None:
    """A table that nothing is made of: the run is short."""
    before = _description(migrated)
    migrated.target.execute(f"UPDATE personal_access_tokens SET description = 'edited' WHERE id = '{TOKEN}'")
    row = ("reset", "personal_access_tokens", TOKEN, "--yes")
    ended = cli(*row, legacy=migrated.legacy, target=migrated.target)
    assert ended.code == 3, ended.out + ended.err
    assert f"reset personal_access_tokens {TOKEN}: 1 rows" in ended.out
    assert "1 rows were edited in the target" in ended.out
    assert _description(migrated) == "edited"
    taken = cli(*row, "--take-legacy", "--json", legacy=migrated.legacy, target=migrated.target)
    assert json.loads(taken.out)["figures"]["edited"] == 1, taken.err
    assert _description(migrated) == before


def test_an_unknown_key_is_refused_and_nothing_is_forgotten(cli: Cli, migrated: Migrated) -> None:
    ended = cli("reset", "devices", "nothing", "--yes", legacy=migrated.legacy, target=migrated.target)
    assert ended.code == 1
    assert "no run has read a row of the legacy key 'nothing'" in ended.err
    assert cli("reset", "devcies", legacy=migrated.legacy, target=migrated.target).code == 2
