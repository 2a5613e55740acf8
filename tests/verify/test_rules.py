"""Every rule of the mapping that an opinion cannot say holds of what the edge-case database became."""

from importlib.resources import files

import pytest

from remoteiq_etl.verify.opinion import Opinion, parse
from tests.verify.conftest import Bench


def _rules() -> list[Opinion]:
    """A rule says of itself what an opinion says; its statement returns what violates it."""
    domains = files("remoteiq_etl.verify").joinpath("rules").iterdir()
    found = [
        parse(one.read_text(encoding="utf-8"), one.name.removesuffix(".sql"), domain.name)
        for domain in domains
        if domain.is_dir()
        for one in domain.iterdir()
        if one.name.endswith(".sql")
    ]
    return sorted(found, key=lambda rule: (rule.domain, rule.name))


RULES = _rules()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_rule_holds(rule: Opinion, asking: Bench) -> None:
    for name, columns in rule.reads.items():
        asking.mirror.whole(name, columns)
    cursor = asking.mirror.session.execute(rule.statement)
    assert [column.name for column in cursor.description or ()] == ["table_name", "key", "finding"]
    assert cursor.fetchall() == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_rule_says_in_a_sentence_what_must_hold(rule: Opinion) -> None:
    first = rule.statement.splitlines()[0]
    assert first.startswith("-- ")
    assert first.endswith(".")
