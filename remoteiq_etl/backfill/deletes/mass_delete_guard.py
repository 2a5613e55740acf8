"""The brake: when so much is gone from legacy that a fault is likelier than a wish, nothing is done about it.

Pure decisions on figures. Belongs here: when it is applied, to what, and the words for it. Does not belong here: counting
(see gone).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

#: More than a fifth of a table's mapped rows, and more than ten of them.
SHARE, COUNT = 0.2, 10


@dataclass(frozen=True)
class DeleteFigures:
    """What a complete read found of one asset and one of its legacy tables (or derived rows).

    `legacy_rows`: rows there now, None for derived rows. `mapped`: keys that lead to a target row; `gone`: those of them
    that are not there any more. `unreadable`: why the table cannot be read as a whole.
    """

    asset: str
    legacy_table: str
    legacy_rows: int | None = None
    mapped: int = 0
    gone: int = 0
    unreadable: str | None = None

    @property
    def is_suspicious(self) -> bool:
        """Whether so much is gone that somebody has to confirm it."""
        return self.is_emptied or too_many(self.gone, self.mapped)

    @property
    def is_emptied(self) -> bool:
        """Whether a table of which rows were migrated has none any more."""
        return self.legacy_rows == 0 and self.mapped > 0

    @property
    def text(self) -> str:
        """What was found and what can be done about it."""
        if self.unreadable:
            return f"{self.unreadable}. Nothing is known of its rows; mend that and look again."
        of_legacy = self.legacy_rows is not None
        found = (
            f"{self.legacy_table} is empty, but {self.mapped:,} of its rows are mapped to {self.asset}"
            if self.is_emptied
            else f"{self.gone:,} of the {self.mapped:,} mapped rows of {self.asset} from {self.legacy_table} are gone"
        )
        return (
            f"{found}. An empty table, or a loss of more than {SHARE:.0%} and {COUNT} rows, may be a mistake; if it is none:"
            f" --confirm {self.legacy_table if of_legacy else self.asset}."
        )


def too_many(gone: int, mapped: int) -> bool:
    """Whether this many gone rows of so many mapped ones ask for a confirmation."""
    return gone > COUNT and gone > SHARE * mapped


def guarded(
    figures: Sequence[DeleteFigures],
    reads: Mapping[str, Collection[str]],
    dependencies: Mapping[str, Collection[str]],
    confirmed: Collection[str],
) -> dict[str, str]:
    """The assets about which nothing is done, and why.

    An asset stands still with each asset that it depends on, directly or not, and with each legacy table that it reads
    (`reads`): a row made of several tables may have lost nothing but a cause in that one. `confirmed` names assets or legacy
    tables whose losses are wanted, with those of rows derived from them; what cannot be read cannot be confirmed.
    """
    stopped = [found for found in figures if _stops(found, {*confirmed}, {*reads.get(found.asset, ())})]
    reasons = _spread({found.asset: found.text for found in reversed(stopped)}, dependencies)
    tables = {found.legacy_table: found.text for found in stopped if found.legacy_rows is not None}
    for asset, names in sorted(reads.items()):
        for name in sorted(set(names) & tables.keys()):
            reasons.setdefault(asset, tables[name])
    return reasons


def _stops(found: DeleteFigures, confirmed: set[str], read: set[str]) -> bool:
    if found.unreadable:
        return True
    names = {found.asset, found.legacy_table} | (read if found.legacy_rows is None else set())
    return found.is_suspicious and not names & confirmed


def _spread(reasons: Mapping[str, str], dependencies: Mapping[str, Collection[str]]) -> dict[str, str]:
    found = dict(reasons)
    waiting = True
    while waiting:
        more = {
            asset: next(parent for parent in sorted(parents) if parent in found)
            for asset, parents in dependencies.items()
            if asset not in found and any(parent in found for parent in parents)
        }
        found |= {asset: f"it depends on {parent}, about which nothing is done" for asset, parent in more.items()}
        waiting = bool(more)
    return found
