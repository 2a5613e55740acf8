"""What the inverses say of themselves. No server."""

import pytest

from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.inverse.inverse import Recovery, inverses, parse
from schemas import legacy


def test_every_legacy_table_has_an_inverse_and_every_column_says_whether_it_comes_back() -> None:
    assert list(inverses()) == [table.name for table in legacy.metadata.tables.values()]
    said = {inverse.name: sorted(inverse.columns) for inverse in inverses().values()}
    assert said == {
        inverse.name: sorted(column.name for column in inverse.table.columns) for inverse in inverses().values()
    }
    assert sum(map(len, said.values())) == 319


def test_what_is_lost_has_a_reason_and_nothing_else_has() -> None:
    recoveries = [one for inverse in inverses().values() for one in inverse.columns.values()]
    assert {bool(one.reason) for one in recoveries if one.recovery is Recovery.LOST} == {True}
    assert {one.reason for one in recoveries if one.recovery is not Recovery.LOST} == {""}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-- lost: id\nSELECT 1", "expected `-- lost: column: reason`"),
        ("-- lost: id:  \nSELECT 1", "expected `-- lost: column: reason`"),
        ("-- exact: id\n-- archive: name, id\nSELECT 1", "found id again"),
    ],
)
def test_a_column_that_is_named_twice_or_lost_without_a_reason_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        parse(text, "roles", "access")
