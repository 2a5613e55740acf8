"""What is withdrawn from a row that is gone has a one-way door: else the row would have it again as soon as it is back."""

import pytest

from remoteiq_etl.spec.table import Revocation
from tests.support.migrating import specs

WITHDRAWN = [
    (step.table or spec.asset, column)
    for spec in specs().values()
    if spec.on_delete is not None
    for step in spec.on_delete.revokes
    for column in step.sets
]


def test_users_sessions_and_tokens_are_withdrawn() -> None:
    assert {("users", "status"), ("sessions", "revoked_at"), ("personal_access_tokens", "revoked_at")} == set(WITHDRAWN)


@pytest.mark.parametrize(("table", "column"), sorted(set(WITHDRAWN)))
def test_each_column_that_is_withdrawn_has_a_door(table: str, column: str) -> None:
    assert column in {guard.column for guard in specs()[table].column_guards}


def test_only_other_tables_lose_rows() -> None:
    """A withdrawn row itself stays."""
    steps = [step for spec in specs().values() if spec.on_delete for step in spec.on_delete.revokes]
    assert all(isinstance(step, Revocation) and (step.sets or step.table) for step in steps)
