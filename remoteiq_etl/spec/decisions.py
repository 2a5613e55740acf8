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
    """One decision that depends on more than one legacy row, to be recorded in the map of `entity` and read from there."""

    #: The legacy table, or the name of what is decided about (a text, a group of equal names).
    legacy_table: str
    #: What is decided about, as a key under that name.
    legacy_key: str
    #: The rule by which it was decided.
    rule: str
    #: Plain data. Under SAME_AS they hold [legacy table, legacy key] of the row of the same entity that this key stands for:
    #: once that row has its id (adopted, derived after a collision), it is the new key, whatever was expected when the
    #: decision was taken.
    values: Mapping[str, Any] = field(default_factory=dict)
    #: The id of the row, where the decision itself names it (a pairing, a resolved text).
    new_key: str | None = None
    #: The entity whose map records it; default: the table that decides.
    entity: str | None = None


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
    """What a decide step worked out."""

    #: All that hold now, recorded ones unchanged.
    decisions: list[Decision] = field(default_factory=list)
    #: The rows (with KEY) of each Derived source, by its name.
    rows: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    #: What the transforms of this table need besides (lookups, value tables), as Context.prepared.
    prepared: Mapping[str, Any] = field(default_factory=dict)
    #: All rows that hold now of each table that the step keeps, by its name: column → value, without source and run.
    kept: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    #: All that hold now.
    warnings: Sequence[Warned] = ()

    @property
    def warned(self) -> Mapping[str, int]:
        """Warnings by rule."""
        return Counter(one.rule for one in self.warnings)


@dataclass(frozen=True)
class StoredDecisions:
    """Decisions recorded by earlier runs for one entity, by (legacy table, legacy key).

    `former`: those that are to be taken again in this run, as they were.
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
    """A set-wise step, run over whole legacy tables before the first write."""

    #: SELECTs on the legacy schema, by the name of the input that each becomes (key columns, aggregates: small).
    reads: Mapping[str, Select[Any]]
    #: Decides: gets all inputs by name, the decisions of earlier runs and the context.
    function: Callable[[Mapping[str, pd.DataFrame], StoredDecisions, Context], Decided]
    #: SELECTs on the target as it is now, likewise.
    target_reads: Mapping[str, Select[Any]] = field(default_factory=dict)
    #: Tables whose writes by us are an input of that name: run, at, key, previous, next (JSON texts of the written columns
    #: without secrets; previous is null at the insert).
    history: tuple[str, ...] = ()
    #: Tables of the state schema whose rows it returns besides, for people to read.
    keeps: tuple[Table, ...] = ()
    #: The decisions (Decision.legacy_table) that an operator may have taken again: what they say must be able to change under
    #: a row that is there.
    redecided: tuple[str, ...] = ()
