"""Every rule of the mapping that an opinion cannot say holds of what the edge-case database became."""

import pytest

from remoteiq_etl.verify.checks.rules import rules
from remoteiq_etl.verify.expected.expectation import Expectation
from tests.verify.conftest import Bench

RULES = rules()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_rule_holds(rule: Expectation, asking: Bench) -> None:
    for name, columns in rule.reads.items():
        asking.legacy_copy.whole(name, columns)
    cursor = asking.legacy_copy.session.execute(rule.statement)
    assert [column.name for column in cursor.description or ()] == ["table_name", "key", "finding"]
    assert cursor.fetchall() == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_rule_says_in_a_sentence_what_must_hold(rule: Expectation) -> None:
    first = rule.statement.splitlines()[0]
    assert first.startswith("-- ")
    assert first.endswith(".")
