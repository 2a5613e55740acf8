"""What is withdrawn from a row that is gone has a one-way door: else the row would have it again as soon as it is back."""

import pytest

from remoteiq_etl.spec.table import Withdrawal
from tests.support.migrating import specs

WITHDRAWN = [
    (step.table or spec.asset, column)
    for spec in specs().values()
    if spec.when_gone is not None
    for step in spec.when_gone.withdraws
    for column in step.sets
]


def test_users_sessions_and_tokens_are_withdrawn() -> None:
    assert {("users", "status"), ("sessions", "revoked_at"), ("personal_access_tokens", "revoked_at")} == set(WITHDRAWN)


@pytest.mark.parametrize(("table", "column"), sorted(set(WITHDRAWN)))
def test_each_column_that_is_withdrawn_has_a_door(table: str, column: str) -> None:
    assert column in {door.column for door in specs()[table].doors}


def test_only_other_tables_lose_rows() -> None:
    """A withdrawn row itself stays."""
    steps = [step for spec in specs().values() if spec.when_gone for step in spec.when_gone.withdraws]
    assert all(isinstance(step, Withdrawal) and (step.sets or step.table) for step in steps)
