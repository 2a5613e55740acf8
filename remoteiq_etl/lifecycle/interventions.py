"""What an operator chooses for one run, besides the settings: who wins, what is made again, what is decided anew.

Belongs here: these choices as plain data, as a command or a run configuration gives them. Does not belong here: what they
do (see remoteiq_etl.backfill).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from remoteiq_etl.config.conflicts import DEFAULT
from remoteiq_etl.errors import ConfigurationError


@dataclass(frozen=True)
class Interventions:
    """Interventions for one run. `conflicts`: policies by table, or `default`; `recreate`: by table the keys of rows that were
    deleted in the target, none meaning all; `redecide`: tables whose decisions are taken anew.
    """

    conflicts: Mapping[str, str] = field(default_factory=dict)
    recreate: Mapping[str, Sequence[str]] = field(default_factory=dict)
    redecide: Sequence[str] = ()

    @classmethod
    def of_options(cls, conflicts: Iterable[str], recreate: Iterable[str], redecide: Iterable[str]) -> "Interventions":
        """The choices that options name: POLICY or TABLE=POLICY, TABLE or TABLE:KEY, TABLE."""
        policies = dict(_policy(text) for text in conflicts)
        return cls(policies, _rows(recreate), tuple(redecide))

    @classmethod
    def of_config(cls, config: Mapping[str, Any]) -> "Interventions":
        """The choices of a run configuration."""
        return cls(config.get("conflicts", {}), config.get("recreate", {}), tuple(config.get("redecide", ())))

    def config(self) -> dict[str, Any]:
        """The choices as a run configuration."""
        recreate = {table: list(keys) for table, keys in self.recreate.items()}
        return {"conflicts": dict(self.conflicts), "recreate": recreate, "redecide": list(self.redecide)}

    def check(self, known: Collection[str]) -> None:
        """Refuse names of no table: they would silently choose nothing. Raises ConfigurationError."""
        named = {
            "conflicts": self.conflicts.keys() - {DEFAULT},
            "recreate": self.recreate.keys(),
            "redecide": self.redecide,
        }
        for choice, tables in named.items():
            if unknown := sorted(set(tables) - set(known)):
                raise ConfigurationError(
                    f"{choice}: there is no table {', '.join(unknown)}. The tables are: {', '.join(sorted(known))}."
                )


def _policy(text: str) -> tuple[str, str]:
    table, _, policy = text.rpartition("=")
    return table or DEFAULT, policy


def _rows(texts: Iterable[str]) -> dict[str, list[str]]:
    """Keys by table; a table named without a key stands for all its rows, whatever else is named."""
    rows: dict[str, list[str]] = {}
    whole = set()
    for text in texts:
        table, colon, key = text.partition(":")
        rows.setdefault(table, []).extend([key] if colon else [])
        if not colon:
            whole.add(table)
    return {table: [] if table in whole else keys for table, keys in rows.items()}
