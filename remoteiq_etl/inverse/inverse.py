"""An inverse: what a legacy table holds, said as SQL over the target, the maps and the archive.

One file for each legacy table: `inverse/<domain>/<legacy table>.sql`. It begins with comments that say what it needs, and of
every column of the legacy table whether its values come back:

    -- keys: agent_tasks                  the map that leads from a legacy key to a row; without it there is no {rows}
    -- new: n.organization_id = ...       which rows of that target table (alias n) the new application alone wrote
    -- whole: second_singleton_row        rules under which whole rows are in the archive, for {whole}
    -- exact: id, name                    as they were
    -- archive: email                     as they were, with the archive
    -- lost: totp_secret: why             not recoverable, at least for some rows

Then follows one SELECT of the columns. {target}, {state} and {views} are the schemas, {source} and {organization} the source;
braces of its own are doubled. {rows} has `legacy_key`, `new_key`, `archive_key`, `written` (the values last written, null of a
log) and `decision` of every row, {archived} joins the archive of row r as a record a of the legacy columns, {whole} has the
rows that the archive alone holds.

Belongs here: finding and reading these files. Does not belong here: completing them (see definition), making views (see views).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files

from sqlalchemy import Table

from remoteiq_etl.errors import ConfigurationError
from schemas import legacy

_DIRECTIVE = re.compile(r"^-- (keys|new|whole|exact|archive|lost): *(.+)$", re.MULTILINE)
_TARGETS = re.compile(r"\{target\}\.(\w+)")
_MAPS = re.compile(r"\{state\}\.legacy_(\w+)_map\b")


class Recovery(StrEnum):
    """Whether the values of a legacy column come back."""

    EXACT = "exact"
    ARCHIVE = "exact with the archive"
    LOST = "not recoverable"


@dataclass(frozen=True)
class ColumnRecovery:
    """What an inverse says of one legacy column; `reason`: why not all of its values come back."""

    recovery: Recovery
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.recovery}: {self.reason}" if self.reason else str(self.recovery)


@dataclass(frozen=True)
class Inverse:
    """One inverse. `keys`: the target table whose map leads from its keys to rows; `new`: the condition of rows without one."""

    name: str
    domain: str
    statement: str = field(repr=False)
    keys: str | None = None
    new: str | None = None
    whole: tuple[str, ...] = ()
    columns: Mapping[str, ColumnRecovery] = field(default_factory=dict)

    @property
    def table(self) -> Table:
        """The definition of the legacy table."""
        return legacy.metadata.tables[f"{legacy.metadata.schema}.{self.name}"]

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the legacy primary key."""
        return tuple(column.name for column in self.table.primary_key.columns)

    @property
    def reads(self) -> frozenset[str]:
        """The target tables that it reads."""
        return frozenset(_TARGETS.findall(self.statement))

    @property
    def rests_on(self) -> frozenset[str]:
        """The target tables on which its rows and values depend: a write to any other one changes nothing of it."""
        return self.reads | frozenset(_TARGETS.findall(self.new or "")) | frozenset(filter(None, [self.keys]))

    @property
    def maps(self) -> frozenset[str]:
        """The target tables whose maps it reads."""
        return frozenset((*_MAPS.findall(self.statement), *filter(None, [self.keys]))) - {"settings"}


@cache
def inverses() -> Mapping[str, Inverse]:
    """Every inverse by legacy table, in the order of the legacy schema. Raises ConfigurationError for one of no table."""
    found: dict[str, Inverse] = {}
    for domain in files("remoteiq_etl.inverse").iterdir():
        if domain.is_dir():
            texts = [one for one in domain.iterdir() if one.name.endswith(".sql")]
            read = [parse(one.read_text(encoding="utf-8"), one.name.removesuffix(".sql"), domain.name) for one in texts]
            found |= {inverse.name: inverse for inverse in read}
    names = [table.name for table in legacy.metadata.tables.values()]
    if unknown := sorted(found.keys() - set(names)):
        raise ConfigurationError(f"inverse: expected files named as a legacy table, found {', '.join(unknown)}")
    return {name: found[name] for name in names if name in found}


def recoveries() -> dict[str, str]:
    """What every inverse says of the columns of its table, by table.column."""
    return {f"{one.name}.{column}": str(said) for one in inverses().values() for column, said in one.columns.items()}


def parse(text: str, name: str, domain: str) -> Inverse:
    """The inverse that a file holds. Raises ConfigurationError for a column that is named twice, or lost without a reason."""
    said: dict[str, list[str]] = {}
    for word, rest in _DIRECTIVE.findall(text):
        said.setdefault(word, []).append(rest.strip())
    columns: dict[str, ColumnRecovery] = {}
    for column, recovery in _recoveries(said, f"inverse/{domain}/{name}.sql"):
        if column in columns:
            raise ConfigurationError(f"inverse/{domain}/{name}.sql: expected each column once, found {column} again")
        columns[column] = recovery
    return Inverse(
        name=name,
        domain=domain,
        statement=_DIRECTIVE.sub("", text).strip(),
        keys=_one(said, "keys"),
        new=_one(said, "new"),
        whole=tuple(rule for line in said.get("whole", []) for rule in _names(line)),
        columns=columns,
    )


def _recoveries(said: Mapping[str, list[str]], place: str) -> list[tuple[str, ColumnRecovery]]:
    plain = [("exact", Recovery.EXACT), ("archive", Recovery.ARCHIVE)]
    found = [
        (name, ColumnRecovery(kind)) for word, kind in plain for line in said.get(word, []) for name in _names(line)
    ]
    for line in said.get("lost", []):
        columns, colon, reason = line.partition(":")
        if not colon or not reason.strip():
            raise ConfigurationError(f"{place}: expected `-- lost: column: reason`, found {line!r}")
        found += [(name, ColumnRecovery(Recovery.LOST, reason.strip())) for name in _names(columns)]
    return found


def _one(said: Mapping[str, list[str]], word: str) -> str | None:
    return said[word][0] if word in said else None


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
