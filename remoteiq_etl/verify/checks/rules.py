"""Rules: what must hold beyond single rows, each as SQL that returns what violates it.

A rule is a file like an opinion (see opinion), `rules/<domain>/<rule>.sql`; its first line says in a sentence what must hold.
Its SELECT returns table_name, key (of the target row, else the legacy one) and finding, which names columns and no values.
Belongs here: finding and asking them. Does not belong here: why a row violates one (see table).
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from remoteiq_etl.verify.expected.expectation import Expectation, parse
from remoteiq_etl.verify.snapshots import SnapshotPair


@dataclass(frozen=True)
class RuleViolation:
    """One row that violates a rule, and in what."""

    rule: Expectation
    table: str
    key: str | None
    finding: str


@cache
def rules() -> tuple[Expectation, ...]:
    """Every rule, by domain and name."""
    found = [
        parse(one.read_text(encoding="utf-8"), one.name.removesuffix(".sql"), domain.name)
        for domain in files("remoteiq_etl.verify.checks").joinpath("rules").iterdir()
        if domain.is_dir()
        for one in domain.iterdir()
        if one.name.endswith(".sql")
    ]
    return tuple(sorted(found, key=lambda rule: (rule.domain, rule.name)))


def rules_about(table: str) -> list[Expectation]:
    """The rules that may name rows of a table: those whose statement names it."""
    return [rule for rule in rules() if f"'{table}'" in rule.statement]


def sentence(rule: Expectation) -> str:
    """What must hold."""
    return rule.statement.splitlines()[0].removeprefix("-- ").strip()


def violations(rule: Expectation, pair: SnapshotPair) -> list[RuleViolation]:
    """What violates a rule, of all tables that it is about."""
    for name, columns in rule.reads.items():
        pair.legacy_copy.whole(name, columns)
    rows = pair.session.rows(rule.statement)
    return [RuleViolation(rule, table, None if key is None else str(key), finding) for table, key, finding in rows]
