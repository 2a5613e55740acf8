"""Who wins where both sides changed a row: the policies that an operator chooses from, per run and per table.

Belongs here: the [conflicts] of the configuration file, and the same choice for one run. Does not belong here: applying a
policy to a row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from remoteiq_etl.config.validation import Expected, Where, checked, is_table

DEFAULT = "default"  # stands where a table's name would: the policy of all others


class ConflictPolicy(StrEnum):
    """What becomes of a row that was edited in the target and changed in legacy since it was last written."""

    KEEP_TARGET = "keep_target"
    TAKE_LEGACY = "take_legacy"
    FAIL = "fail"


@dataclass(frozen=True)
class ConflictPolicies:
    """One policy for all tables but those that have their own, by asset."""

    default: ConflictPolicy = ConflictPolicy.KEEP_TARGET
    tables: Mapping[str, ConflictPolicy] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, table: str) -> ConflictPolicy:
        """The policy of one table."""
        return self.tables.get(table, self.default)

    def overruled_by(self, words: Mapping[str, str], where: str) -> "ConflictPolicies":
        """These policies, but for what `words` (default, or a table, → policy) say. Raises ConfigurationError."""
        given = conflict_policies(words, Where(where))
        return ConflictPolicies(given.default if DEFAULT in words else self.default, {**self.tables, **given.tables})


_ByTable = Annotated[
    dict[str, Annotated[ConflictPolicy, Expected(f"one of {', '.join(ConflictPolicy)}")]],
    is_table('lines such as users = "take_legacy"'),
]


def conflict_policies(given: object, where: Where) -> ConflictPolicies:
    """Policies from plain data: `default`, and one key per table. Raises ConfigurationError."""
    tables = checked(_ByTable, given, where)
    default = tables.pop(DEFAULT, ConflictPolicy.KEEP_TARGET)
    return ConflictPolicies(default, MappingProxyType(tables))
