"""An opinion: what a target table must hold, said once more as SQL over the legacy tables.

One file for each target table, or for each legacy table that becomes rows of it: `expected/<domain>/<target table>.sql` or
`<target table>.<word>.sql`. It begins with comments that say what it needs:

    -- covers: jobs                       names of legacy tables, as in the map, whose entries it answers for (default: all)
    -- rows: check_runs                   the legacy table that is compared a range of rows at a time; without it all at once
    -- reads: devices, agents(id, name)   further legacy tables, whole; of those with columns only these
    -- each row: jobs, agents by agent_id  legacy tables of which a row depends on one row alone: on that of its own key, or on that
                                           whose key this column holds (`by jobs.agent_id`: a column of that other row);
                                           so does every row of the opinion on its own row of `rows`
    -- not compared: created_at, token: why
    -- carried from jobs: name, title as subject    columns that every live row has unchanged: both servers add them up

Then follows one SELECT. What it needs of all rows, whatever the range, can stand before it as further SELECTs, each after a
line `-- once: name`, with `-- each range:` before the last one: they are made tables of these names, once. The SELECT finds
legacy tables as `legacy_<table>` (a time that the mapping does not carry is null there, and named in `_odd_times`), the
maps of this source as `map_<target table>`, the options of the run in `run_option` (name, value), what an operator added to
value maps in `added_word` (value_map, word, label), labels of the target's enum types beside the redesign's in `further_label`
(table_name, column_name, label), and one row of `source` (name, slug, organization_id).
`pg_temp.normalised(text)` is a
name as the mapping compares it, `pg_temp.tidy(text)` its spelling without accidental white space, `pg_temp.lowered(text)` an
e-mail address or a permission key: costly, so they are asked of distinct texts; `pg_temp.mail_headers(text)` is what SQL reads
for certain in the headers of a mail. The table that it is about is at hand as `target_<table>`, for values that the mapping
takes from there, and for rows whose value SQL cannot make: these are left as they are; other tables of the target are found by
their names. It returns `_legacy_table` and `_legacy_key`, which say where a row comes from, and the columns of the target; a
time or an optional column that must be there and is null stands for the default of the insert. Belongs here: finding and
reading these files. Does not belong here: executing them (see compare).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from remoteiq_etl.errors import ConfigurationError

_DIRECTIVE = re.compile(r"^-- (covers|rows|reads|each row|not compared): *(.+)$")
_PART = re.compile(r"^-- (?:once: *(\w+)|each range:)$", re.MULTILINE)
_CARRIED = re.compile(r"^-- carried from (\w+): *(.+)$", re.MULTILINE)
_MAP = re.compile(r"\bmap_(\w+)")
_ROW = re.compile(r"(\w+)(?: by (?:(\w+)\.)?(\w+))?")
_READ = re.compile(r"(\w+)(?:\(([^)]*)\))?")


@dataclass(frozen=True)
class OneRow:
    """Of a legacy table a row depends on one row alone: that of its own key, or that whose key stands in `column`.

    The column is one of the own row, or of the row of the table `of`.
    """

    table: str
    column: str | None = None
    of: str | None = None


@dataclass(frozen=True)
class Expectation:
    """One opinion. `reads`: legacy table → its columns, none meaning all; `not_compared`: target column → why.

    `each_row`: on which single rows a row depends; of other tables that are read it may depend on any row. `statement` is
    the whole file; `once` names the tables that are made before `query` is asked.
    """

    target: str
    name: str
    domain: str
    statement: str = field(repr=False)
    covers: tuple[str, ...] = ()
    rows: str | None = None
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    each_row: tuple[OneRow, ...] = ()
    not_compared: Mapping[str, str] = field(default_factory=dict)

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The legacy tables that it reads, in whatever way."""
        return tuple(dict.fromkeys((*self.reads, *filter(None, [self.rows]))))

    @property
    def maps(self) -> frozenset[str]:
        """The entities whose maps it reads."""
        return frozenset(_MAP.findall(self.statement))

    @property
    def once(self) -> Mapping[str, str]:
        """The SELECTs of tables that are made before the first range, by name, in their order."""
        names = _PART.findall(self.statement)
        parts = _PART.split(self.statement)[2::2]
        return {name: part for name, part in zip(names, parts, strict=True) if name}

    @property
    def carried(self) -> Mapping[str, Mapping[str, str]]:
        """Target column → legacy column of what every live row has unchanged, by legacy table."""
        found: dict[str, dict[str, str]] = {}
        for table, columns in _CARRIED.findall(self.statement):
            pairs = (name.partition(" as ") for name in _names(columns))
            found[table] = {(renamed or name).strip(): name.strip() for name, _, renamed in pairs}
        return found

    @property
    def taken(self) -> frozenset[str]:
        """Columns whose values it takes from the target, at least for some rows: SQL cannot make them."""
        names = re.findall(rf"\btarget_{self.target} AS (\w+)", self.statement)
        return frozenset(column for name in names for column in re.findall(rf"\b{name}\.(\w+)", self.query))

    @property
    def query(self) -> str:
        """The SELECT of what the target must hold."""
        return _PART.split(self.statement)[-1]


@cache
def expectations() -> tuple[Expectation, ...]:
    """Every opinion, by target table and name. Raises ConfigurationError when a file says something unknown of itself."""
    found = []
    for domain in files("remoteiq_etl.verify.expected").iterdir():
        if domain.is_dir():
            texts = [one for one in domain.iterdir() if one.name.endswith(".sql")]
            found += [
                parse(one.read_text(encoding="utf-8"), one.name.removesuffix(".sql"), domain.name) for one in texts
            ]
    return tuple(sorted(found, key=lambda expectation: expectation.name))


def parse(text: str, name: str, domain: str) -> Expectation:
    """The opinion that a file holds. Raises ConfigurationError for a directive that cannot be read."""
    said: dict[str, list[str]] = {}
    for line in text.splitlines():
        if match := _DIRECTIVE.match(line):
            said.setdefault(match[1], []).append(match[2].strip())
    not_compared: dict[str, str] = {}
    for line in said.get("not compared", []):
        columns, colon, reason = line.partition(":")
        if not colon or not reason.strip():
            raise ConfigurationError(
                f"expected/{domain}/{name}.sql: expected `-- not compared: column: reason`, found {line!r}"
            )
        not_compared |= dict.fromkeys(_names(columns), reason.strip())
    reads = {match[1]: _names(match[2] or "") for line in said.get("reads", []) for match in _READ.finditer(line)}
    return Expectation(
        target=name.partition(".")[0],
        name=name,
        domain=domain,
        statement=text,
        covers=tuple(part for line in said.get("covers", []) for part in _names(line)),
        rows=said["rows"][0] if "rows" in said else None,
        reads=reads,
        each_row=tuple(_each_row([*said.get("rows", []), *said.get("each row", [])])),
        not_compared=not_compared,
    )


def _each_row(lines: Iterable[str]) -> Iterator[OneRow]:
    for part in (part for line in lines for part in _names(line)):
        if match := _ROW.fullmatch(part):
            yield OneRow(match[1], match[3], match[2])


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
