"""Set-wise decisions: what a decide step declares, decides and finds recorded.

Belongs here: these plain objects. Does not belong here: running a step and recording what it decided
(remoteiq_etl.backfill.transform.decide).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from sqlalchemy import Select, Table

from remoteiq_etl.spec.transform_context import Context

SAME_AS = "same_as"  # value of a decision: the row that its key stands for

TAKES_ROW_OF = (
    "inherits"  # value of a decision: [legacy table, legacy key] of the key whose row is this key's from now on
)


@dataclass(frozen=True)
class Decision:
    """One decision that depends on more than one legacy row, to be recorded in the map of `entity` and read from there.

    `new_key` is set where the decision itself names the row (a pairing, a resolved text). `values` are plain data; under
    SAME_AS they hold [legacy table, legacy key] of the row of the same entity that this key stands for: once that row has
    its id (adopted, derived after a collision), it is the new key, whatever was expected when the decision was taken.
    """

    legacy_table: str
    legacy_key: str
    rule: str
    values: Mapping[str, Any] = field(default_factory=dict)
    new_key: str | None = None
    entity: str | None = None  # default: the table that decides


@dataclass(frozen=True, order=True)
class Warned:
    """A decision that a person should know of: the rule that says why, and the key (as in the map) that it is about."""

    rule: str
    legacy_table: str
    legacy_key: str


def warned(rule: str, legacy_table: str, legacy_keys: Iterable[str]) -> list[Warned]:
    """The same about several keys of one table."""
    return [Warned(rule, legacy_table, key) for key in legacy_keys]


@dataclass(frozen=True)
class Decided:
    """What a decide step worked out.

    `decisions`: all that hold now, recorded ones unchanged. `rows`: the rows of each Derived source by its name (with
    KEY). `prepared`: what the transforms of this table need besides (lookups, value tables). `kept`: all rows that hold now
    of each table that the step keeps, by its name (column → value, without source and run). `warnings`: all that hold now.
    """

    decisions: list[Decision] = field(default_factory=list)
    rows: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    prepared: Mapping[str, Any] = field(default_factory=dict)
    kept: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    warnings: Sequence[Warned] = ()

    @property
    def warned(self) -> Mapping[str, int]:
        """Warnings by rule."""
        return Counter(one.rule for one in self.warnings)


@dataclass(frozen=True)
class StoredDecisions:
    """Decisions recorded by earlier runs for one entity, by (legacy table, legacy key).

    `former`: those that are to be taken anew in this run, as they were.
    """

    decisions: Mapping[tuple[str, str], Decision] = field(default_factory=dict)
    former: Mapping[tuple[str, str], Decision] = field(default_factory=dict)

    def get(self, legacy_table: str, legacy_key: str) -> Decision | None:
        """The decision recorded for one key; None when there is none."""
        return self.decisions.get((legacy_table, legacy_key))

    def of(self, legacy_table: str) -> dict[str, Decision]:
        """The recorded decisions of one legacy table by legacy key."""
        return {key: decision for (table, key), decision in self.decisions.items() if table == legacy_table}

    def redecided(self, legacy_tables: Collection[str]) -> "StoredDecisions":
        """The same with the decisions under these names set aside."""
        former = {place: decision for place, decision in self.decisions.items() if place[0] in legacy_tables}
        return StoredDecisions({place: one for place, one in self.decisions.items() if place not in former}, former)


@dataclass(frozen=True)
class Decide:
    """A set-wise step, run over whole legacy tables before the first write.

    `reads` are SELECTs on the legacy schema (key columns, aggregates: small), `target_reads` on the target as it is now.
    `history` names tables whose writes by us it is given, as the input of that name: run, at, key, previous, next (JSON
    texts of the written columns without secrets, previous null at the insert). `keeps` are tables of the state schema whose
    rows it returns besides, for people to read. `anew` names the decisions (Decision.legacy_table) that an operator may have
    taken anew: what they say must be able to change under a row that is there. `function(inputs, recorded, context)` gets
    all frames by name.
    """

    reads: Mapping[str, Select[Any]]
    function: Callable[[Mapping[str, pd.DataFrame], StoredDecisions, Context], Decided]
    target_reads: Mapping[str, Select[Any]] = field(default_factory=dict)
    history: tuple[str, ...] = ()
    keeps: tuple[Table, ...] = ()
    redecided: tuple[str, ...] = ()
