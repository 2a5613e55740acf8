"""What a declaration reads and what follows from it, worked out once for everybody who asks."""

import pytest

from remoteiq_etl.spec.dependencies import legacy_tables, made_of_the_same, reached, with_dependencies, with_dependents
from tests.support.migrating import specs


def test_everything_is_reached_once_also_in_a_circle() -> None:
    steps = {"a": ["b", "c"], "b": ["a"], "c": ["d"], "d": []}
    assert reached(["a"], steps.__getitem__) == {"a", "b", "c", "d"}
    assert reached(["c"], steps.__getitem__) == {"c", "d"}
    assert reached([], steps.__getitem__) == frozenset()


def test_what_is_made_of_a_table_follows_it() -> None:
    found = with_dependents(specs(), ["devices"])
    assert {"devices", "agents", "check_assignments"} <= found
    assert "users" not in found


def test_a_table_comes_with_all_that_it_depends_on() -> None:
    found = with_dependencies(specs(), ["check_runs"])
    assert {"check_runs", "check_assignments", "checks", "devices", "organizations"} <= found
    assert "tickets" not in found


def test_tables_of_the_same_legacy_rows_go_together_and_derived_ones_of_one_name_do_not() -> None:
    assert made_of_the_same(specs(), ["users"]) >= {"users", "user_security", "user_roles"}
    assert made_of_the_same(specs(), ["organizations"]) == {"organizations"}


@pytest.mark.parametrize("asset", sorted(specs()))
def test_a_table_reads_every_legacy_table_that_it_names(asset: str) -> None:
    """Its lineage and its owners are among what it reads, so that drift, deletes and Dagster are told the same."""
    spec = specs()[asset]
    named = {place.partition(".")[0] for places in spec.lineage.values() for place in places}
    owner = {spec.owned_by.name} if spec.owned_by is not None else set()
    assert legacy_tables(spec) >= named | owner
