"""What an operator chooses for one run: who wins, what is made again, what is decided anew."""

import pytest

from remoteiq_etl.config.conflicts import ConflictPolicies, ConflictPolicy, conflict_policies
from remoteiq_etl.config.validation import Where
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.lifecycle.interventions import Interventions


def test_options_name_policies_rows_and_tables() -> None:
    chosen = Interventions.of_options(
        ["take_legacy", "users=fail"], ["devices", "sites:k1", "sites:a:b", "clients:k", "clients"], ["users"]
    )
    assert chosen.conflicts == {"default": "take_legacy", "users": "fail"}
    assert chosen.recreate == {"devices": [], "sites": ["k1", "a:b"], "clients": []}
    assert Interventions.of_config(chosen.config()) == Interventions(chosen.conflicts, chosen.recreate, ("users",))


@pytest.mark.parametrize(
    "asked",
    [Interventions({"userz": "fail"}), Interventions(recreate={"userz": []}), Interventions(redecide=["userz"])],
)
def test_a_table_that_does_not_exist_is_refused(asked: Interventions) -> None:
    with pytest.raises(ConfigurationError, match="there is no table userz"):
        asked.check({"users"})


def test_choices_go_before_settings() -> None:
    settings = conflict_policies(
        {"default": "take_legacy", "users": "fail", "sites": "fail"}, Where("remoteiq.toml", "conflicts")
    )
    chosen = settings.overruled_by({"users": "keep_target"}, "conflicts")
    found = [chosen.of(table) for table in ("users", "sites", "tickets")]
    assert found == [ConflictPolicy.KEEP_TARGET, ConflictPolicy.FAIL, ConflictPolicy.TAKE_LEGACY]
    assert settings.overruled_by({"default": "fail"}, "conflicts").of("tickets") == ConflictPolicy.FAIL
    assert ConflictPolicies().of("tickets") == ConflictPolicy.KEEP_TARGET


@pytest.mark.parametrize("given", [{"users": "overwrite"}, {"default": 1}, ["fail"]])
def test_a_policy_that_does_not_exist_is_refused(given: object) -> None:
    with pytest.raises(ConfigurationError, match=r"\[conflicts\].*expected"):
        conflict_policies(given, Where("remoteiq.toml", "conflicts"))
