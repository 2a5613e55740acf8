"""Which rows of a large table must be compared again: those of which something was written since they were compared.

A row of which neither the legacy row, nor the map's entry, nor the target row is newer than the marks of the last
verification is as it was then, and so is what an opinion says of it while the tables and maps that the opinion reads besides
hold the same. That no row has gone is known because both servers still add up the same keys (see checksums). What the last
verification found, and what waits, is compared again, too. Belongs here: choosing these rows. Does not belong here:
comparing them (see table).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from psycopg import sql
from psycopg.rows import TupleRow

from remoteiq_etl.backfill.source.ages import is_newer
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.sensitive.redaction import is_secret
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.state.target_access import statement_names
from remoteiq_etl.verify.causes.labels import EXPECTATION
from remoteiq_etl.verify.checks.checksums import CHECKSUMS, SERVERS_OWN
from remoteiq_etl.verify.checks.completeness import KEYS
from remoteiq_etl.verify.expected.compare import target_key
from remoteiq_etl.verify.expected.expectation import Expectation, expectations
from remoteiq_etl.verify.expected.legacy_copy import legacy_table
from remoteiq_etl.verify.snapshots import SnapshotPair
from remoteiq_etl.verify.verdicts.model import Label, TableVerdict
from schemas import target
from schemas.state.maps import map_name

SQL = statements(__file__)

#: More rows than these are not picked out by key: the whole table is compared.
MOST_ROWS = 100_000

Places = Mapping[str, tuple[TableSpec, Source]]
"""By legacy table, the declaration and source that make rows of the target table from it."""

_FROM = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)", re.IGNORECASE)
_MADE = re.compile(r"\b(\w+) AS (?:NOT )?(?:MATERIALIZED )?\(|^-- once: *(\w+)", re.IGNORECASE | re.MULTILINE)
_COMMENT = re.compile(r"^--.*$", re.MULTILINE)
_MAP_CONTENT = ("legacy_table", "legacy_key", "new_key", "rule", "state", "adopted", "owner_key", "decision")
#: Checks of single rows; the others are made of the whole table every time.
_OF_ROWS = frozenset({EXPECTATION, KEYS, CHECKSUMS})
#: What is always compared again: what is open. Words of a state table → its column that closes a row.
_OPEN = {"quarantine": "released_run", "held": "released_run", "conflicts": "resolved_run", "gone": "returned_run"}


def places(pair: SnapshotPair, table: str) -> Places | None:
    """The legacy tables whose rows can be told apart by key in all that is compared; None where there are others.

    That is so where every opinion is asked of ranges of rows, each of which becomes one row that the table accounts for.
    """
    about = _about(table)
    found: dict[str, tuple[TableSpec, Source]] = {}
    for expectation in about:
        place = pair.source(table, expectation.rows) if expectation.rows else None
        if place is None or not place[1].primary or _reads_beyond(expectation) or place[0].owned_by is not None:
            return None
        found[place[1].name] = place
    accounted = {source.name for spec in pair.writers(table) for source in spec.streamed if source.primary}
    return found if accounted == found.keys() else None


def parents(pair: SnapshotPair, table: str) -> str:
    """What the legacy tables and maps hold that the opinions about a table read besides its rows, in short: sums of hashes."""
    about, sums = _about(table), list[str]()
    for name, columns in sorted({(name, columns) for one in about for name, columns in one.reads.items()}):
        absent = pair.legacy_copy.absent.get(name, frozenset())
        there = [one.name for one in legacy_table(name).columns if one.name not in absent]
        rows = sql.SQL("{} AS r").format(pair.legacy.database.table(name))
        sums.append(_sum(pair.legacy, [one for one in there if not columns or one in columns], rows))
    present = set(pair.state.entities(pair.session))
    for entity in sorted({entity for one in about for entity in one.maps} & present - {table}):
        rows = sql.SQL("{} AS r WHERE r.source_id = {}").format(
            pair.state.name(map_name(entity)), sql.Literal(pair.source_id)
        )
        sums.append(_sum(pair.session, _MAP_CONTENT, rows))
    return " ".join(sums)


@dataclass(frozen=True)
class Increment:
    """What was written of a table since a verification of it; `parents`: what its rows depend on besides, now."""

    pair: SnapshotPair
    table: str
    places: Places
    former: TableVerdict
    parents: str

    def keys(self) -> dict[str, set[str]] | None:
        """By legacy table, the keys of rows to be compared again; None when the whole table must be."""
        marks = self.former.inputs or {}
        if marks.get("parents") != self.parents:
            return None
        found: dict[str, set[str]] = {name: set() for name in self.places}
        try:
            for name, key in self._all():
                if name in found:
                    found[name].add(key)
                elif self._is_read(name):
                    return None
                if sum(map(len, found.values())) > MOST_ROWS:
                    return None
        except _NotTellable:
            return None
        return found

    def _all(self) -> Iterator[tuple[str, str]]:
        yield from self._found_then()
        for name, (_, source) in self.places.items():
            yield from ((name, key) for (key,) in self._legacy(source))
        yield from ((name, key) for name, key in self._target())
        for state in (*_OPEN, "left_out"):
            yield from ((name, key) for name, key in self._state(state))

    def _found_then(self) -> Iterator[tuple[str, str]]:
        """The rows that differed. What waits is asked of the state; of other labels every single row must be known."""
        known = self.former.findings
        for label, count in self.former.labels.items():
            if label not in (Label.QUARANTINED, Label.HELD) and count > sum(one.label == label for one in known):
                raise _NotTellable
        for one in known:
            table, key = one.legacy_table, one.legacy_key
            if table is not None and table in self.places and key is not None:
                yield table, key
            elif one.check in _OF_ROWS:
                raise _NotTellable  # it would be lost: nothing else looks at that row again

    def _is_read(self, name: str) -> bool:
        """Whether an opinion asks for entries of the map under this name, which is that of no table of its rows."""
        return any(f"'{name}'" in one.statement for one in _about(self.table))

    # --- statements -------------------------------------------------------------------------------------------------

    def _legacy(self, source: Source) -> list[TupleRow]:
        newer = is_newer(sql.SQL("l.xmin"), self._horizon("legacy", source.name))
        query = sql.SQL("SELECT {} FROM {} AS l WHERE {} LIMIT {}").format(
            target_key(list(source.key_columns), "l"), self.pair.legacy.database.table(source.name), newer, _MOST
        )
        return self.pair.legacy.rows(query)

    def _target(self) -> Iterator[TupleRow]:
        """Entries of the map that were written since, and those whose row was."""
        for spec in {place[0].name: place[0] for place in self.places.values()}.values():
            yield from self.pair.session.rows(
                SQL["written_since"].format(
                    **statement_names(self.pair, spec),
                    newer_entry=is_newer(sql.SQL("m.xmin"), self._horizon("target", f"map_{spec.name}")),
                    newer_row=is_newer(sql.SQL("t.xmin"), self._horizon("target", spec.name)),
                    most=_MOST,
                )
            )

    def _state(self, name: str) -> list[TupleRow]:
        newer = is_newer(sql.SQL("w.xmin"), self._horizon("target", f"state.{name}"))
        is_open = sql.SQL("w.{} IS NULL").format(sql.Identifier(_OPEN[name])) if name in _OPEN else sql.SQL("false")
        query = sql.SQL(
            "SELECT w.legacy_table, w.legacy_key FROM {} AS w WHERE w.source_id = {} AND w.table_name = {} AND ({} OR {}) LIMIT {}"
        )
        literals = (sql.Literal(self.pair.source_id), sql.Literal(self.table))
        return self.pair.session.rows(query.format(self.pair.state.name(name), *literals, newer, is_open, _MOST))

    def _horizon(self, side: str, name: str) -> int:
        mark = (self.former.inputs or {}).get(side, {}).get(name)
        if mark is None:
            raise _NotTellable
        return int(mark[0])


class _NotTellable(Exception):
    """What the last verification knew does not tell which rows to look at."""


_MOST = sql.Literal(MOST_ROWS + 1)


def _about(table: str) -> list[Expectation]:
    return [one for one in expectations() if one.target == table]


def _reads_beyond(expectation: Expectation) -> bool:
    """Whether an opinion reads what `parents` does not tell: tables of the target other than its own, or a secret."""
    tables = {name.partition(".")[2] for name in target.metadata.tables}
    made = {one or other for one, other in _MADE.findall(expectation.statement)}
    read = {name.removeprefix("target_") for name in _FROM.findall(_COMMENT.sub("", expectation.statement))}
    secret = any(_has_secret(name, columns) for name, columns in expectation.reads.items())
    return secret or bool(read & tables - made - {expectation.target})


def _has_secret(name: str, columns: Iterable[str]) -> bool:
    wanted, all_columns = set(columns), legacy_table(name).columns
    return any(is_secret(one) for one in all_columns if not wanted or one.name in wanted)


def _sum(session: Session, columns: Iterable[str], rows: sql.Composable) -> str:
    names = sql.SQL(", ").join(sql.Identifier("r", name) for name in columns)
    hashed = sql.SQL(SERVERS_OWN).format(sql.SQL("(ROW({}))::text").format(names))
    query = sql.SQL("SELECT count(*) || ':' || coalesce(sum({}), 0) FROM {}")
    return str(session.value(query.format(hashed, rows)))
