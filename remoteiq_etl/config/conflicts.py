"""Who wins where both sides changed a row: the policies that an operator chooses from, per run and per table."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from remoteiq_etl.errors import ConfigurationError

DEFAULT = "default"  # stands where a table's name would: the policy of all others


class Policy(StrEnum):
    """What becomes of a row that was edited in the target and changed in legacy since it was last written."""

    KEEP_TARGET = "keep_target"
    TAKE_LEGACY = "take_legacy"
    FAIL = "fail"


@dataclass(frozen=True)
class Policies:
    """One policy for all tables but those that have their own, by asset."""

    default: Policy = Policy.KEEP_TARGET
    tables: Mapping[str, Policy] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, table: str) -> Policy:
        """The policy of one table."""
        return self.tables.get(table, self.default)

    def overruled_by(self, words: Mapping[str, str], where: str) -> "Policies":
        """These policies, but for what `words` (default, or a table, → policy) say. Raises ConfigurationError."""
        given = policies_of(words, where)
        return Policies(given.default if DEFAULT in words else self.default, {**self.tables, **given.tables})

    def check_tables(self, known: Collection[str], where: str) -> None:
        """Refuse names of no table: a misspelt one would silently choose nothing. Raises ConfigurationError."""
        if unknown := sorted(self.tables.keys() - set(known)):
            raise ConfigurationError(
                f"{where}: there is no table {', '.join(unknown)}. remoteiq-etl lineage lists the tables."
            )


def policy_of(word: object, where: str) -> Policy:
    """The policy that a word names. Raises ConfigurationError."""
    if isinstance(word, str) and word in list(Policy):
        return Policy(word)
    raise ConfigurationError(f"{where}: expected {', '.join(Policy)}; found {word!r}.")


def policies_of(given: object, where: str) -> Policies:
    """Policies from plain data: `default`, and one key per table. Raises ConfigurationError."""
    if not isinstance(given, Mapping):
        raise ConfigurationError(f'{where}: expected lines such as users = "take_legacy", found {given!r}.')
    words = {name: policy_of(word, f"{where} {name}") for name, word in given.items()}
    default = words.pop(DEFAULT, Policy.KEEP_TARGET)
    return Policies(default, MappingProxyType(words))
