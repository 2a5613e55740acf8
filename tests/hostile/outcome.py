"""The oracle: what became of the disturbed side, compared with the one that nothing disturbed.

A row is right, or it waits with a reason; a table that is not loaded, and a run that is refused, say why and leave everything as it
was. A verification is green only where all is right. Belongs here: that comparison. Does not belong here: the cells.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.frames.derived_ids import short_key
from remoteiq_etl.verify.verdicts.model import VerificationVerdict
from tests.hostile.sides import Attempt, Ground, Rows, Side, change
from tests.hostile.surroundings import TABLES, Cell
from tests.support.migrating import specs

RIGHT, QUARANTINED, REFUSED = "right", "quarantined", "refused"
#: A sentence says what and why.
_WORDS = 5
_WAITING = (
    "SELECT table_name, legacy_key, rule FROM remoteiq_etl.quarantine WHERE released_run IS NULL"
    " UNION ALL SELECT table_name, legacy_key, 'pending' FROM remoteiq_etl.held WHERE released_run IS NULL"
)
_ALTERED = "SELECT table_name, legacy_key FROM remoteiq_etl.decision_warnings WHERE rule = 'changed_by_target'"

Contents = Mapping[str, Rows]


@dataclass
class Judged:
    """What was seen of one cell. `less`: what the target lacks, or has otherwise, by table and key."""

    outcomes: Counter[str] = field(default_factory=Counter)
    less: dict[str, list[str]] = field(default_factory=dict)


def play(ground: Ground, cell: Cell) -> Counter[str]:
    """Play one cell: two runs with the change between them. Raises AssertionError where something ends in none of the three ways.

    Returns how many tables of the two runs ended in which.
    """
    outcomes: Counter[str] = Counter()
    with ground.sides(cell) as (disturbed, plain):
        for is_second in (False, True):
            if is_second:
                change(cell, disturbed, plain)
            before = _contents(disturbed)
            attempt = disturbed.run(Mode.INCREMENTAL)
            outcomes += _judge(disturbed, plain, attempt, before)
    return outcomes


def _judge(disturbed: Side, plain: Side, attempt: Attempt, before: Contents) -> Counter[str]:
    now, judged = _contents(disturbed), Judged()
    if attempt.refusal is not None:
        assert _is_sentence(attempt.refusal), attempt.refusal
        assert now == before, "something was written before it was refused"
        return Counter({REFUSED: len(TABLES)})
    expected = plain.run(Mode.FULL)
    assert expected.refusal is None, f"what nothing disturbs is refused ({expected.refusal}), and this is not"
    wanted = _contents(plain)
    for table in TABLES:
        if table in attempt.blocked:
            assert _is_sentence(attempt.blocked[table]), attempt.blocked[table]
            assert now[specs()[table].name] == before[specs()[table].name], f"{table} was not loaded, and was changed"
            judged.outcomes[REFUSED] += 1
        else:
            assert table not in expected.blocked, f"{table}: {expected.blocked[table]}"
            _judge_table(judged, disturbed, plain, specs()[table].name, wanted, now)
    _judge_verdict(judged, disturbed.verify(), attempt)
    return judged.outcomes


def _judge_table(judged: Judged, disturbed: Side, plain: Side, table: str, wanted: Contents, now: Contents) -> None:
    """Every row is as it is on the other side, or its legacy row waits; a trigger's changes are told."""
    differing = [
        key for key in sorted(wanted[table].keys() | now[table].keys()) if wanted[table].get(key) != now[table].get(key)
    ]
    told = {name for of_table, name in disturbed.query(_ALTERED) if of_table == table}
    unexplained = [key for key in differing if not _is_altered(wanted[table].get(key), now[table].get(key), told)]
    waiting = {key: rule for of_table, key, rule in disturbed.query(_WAITING) if of_table == table}
    assert all(waiting.values()), "a row waits without a reason"
    legacy_keys = dict(_mapped(plain, table)) | dict(_mapped(disturbed, table))
    for key in unexplained:
        legacy = [short_key(one) for one in legacy_keys.get(key, [])]
        assert any(one in waiting for one in legacy), (
            f"{table} {key} ({legacy}) differs and nobody says why: {_differing(wanted[table].get(key), now[table].get(key))}"
        )
    judged.outcomes[QUARANTINED if unexplained else RIGHT] += 1
    if differing:
        judged.less[table] = differing


def _judge_verdict(judged: Judged, verdict: VerificationVerdict | str, attempt: Attempt) -> None:
    """No BUG, and never green with less."""
    if isinstance(verdict, str):
        assert _is_sentence(verdict), verdict
        return
    bugs = [one for table in verdict.tables for one in table.findings if one.label == "BUG"]
    assert not bugs, bugs
    if attempt.blocked:
        assert not verdict.passed, f"green although {sorted(attempt.blocked)} were not loaded"
    for table, keys in judged.less.items():
        (of_table,) = [one for one in verdict.tables if one.table == table]
        assert of_table.differences or not of_table.passed, f"{table} is green with less: {keys}"


def _contents(side: Side) -> Contents:
    return {name: side.rows(name) for name in sorted({specs()[table].name for table in TABLES})}


def _is_altered(wanted: Mapping[str, object] | None, now: Mapping[str, object] | None, told: set[str]) -> bool:
    return wanted is not None and now is not None and set(_differing(wanted, now)) <= told


def _differing(wanted: Mapping[str, object] | None, now: Mapping[str, object] | None) -> list[str]:
    if wanted is None or now is None:
        return ["missing" if now is None else "surplus"]
    return [name for name, value in wanted.items() if now[name] != value]


def _mapped(side: Side, table: str) -> Iterator[tuple[str, list[str]]]:
    """The legacy keys that lead to each target row."""
    found: dict[str, list[str]] = {}
    single = len(specs()[table].target.primary_key.columns) == 1
    for new_key, legacy_key in side.query(
        f"SELECT new_key::text, legacy_key::text FROM remoteiq_etl.legacy_{table}_map WHERE new_key IS NOT NULL"
    ):
        found.setdefault(new_key if single else "/".join(map(str, json.loads(new_key))), []).append(legacy_key)
    yield from found.items()


def _is_sentence(text: str) -> bool:
    return len(text.split()) >= _WORDS
