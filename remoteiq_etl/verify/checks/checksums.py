"""Checksums of columns that are carried unchanged: computed by both servers, independent of order, without moving a row.

Each server hashes every value and adds the hashes up by ranges of keys (of their own hash, so that keys of any type will do);
a range whose sums differ is read row by row. A null counts as nothing, the empty text does not. Legacy rows that have no row
of their own are taken out of the sums by key. The hash is that of the server's own hash joins, a third of the price of MD5,
where both servers compute it alike; elsewhere (another encoding, byte order or version) it is MD5. Neither has a key
of ours, so that no column with secrets is among them (see opinions, which compare all). Which columns are carried the
opinions say. Belongs here: sums, and which rows differ. Does not belong here: why they do (see labels).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal

from psycopg import sql
from sqlalchemy import DateTime

from remoteiq_etl.backfill.source.selection import is_one_of
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.encodings import readable
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.state.maps import key_join, map_of
from remoteiq_etl.state.target_access import statement_names
from remoteiq_etl.verify.expected.compare import target_key
from remoteiq_etl.verify.expected.expectation import expectations
from remoteiq_etl.verify.expected.legacy_copy import CARRIED
from remoteiq_etl.verify.snapshots import SnapshotPair

SQL = statements(__file__)

CHECKSUMS = "checksums"
"""The check that both servers come to the same sums over what is carried unchanged."""
ABOUT = "both servers add the columns that are carried unchanged up to the same checksums"

#: Rows without a row of their own that are taken out of the sums by one statement.
KEYS = 10_000
#: Ranges that are read row by row at once; of a million rows each has about 250.
RANGES_AT_ONCE = 100

Sums = tuple[Decimal, ...]  # rows, then the keys and each column

#: Of a text (not null) a bigint.
SERVERS_OWN = 'hashtextextended({} COLLATE "C", 0)'
MD5 = "('x' || substr(md5(convert_to({}, 'UTF8')), 1, 15))::bit(60)::bigint"


@dataclass
class Checksums:
    """The checksums of one target table over the rows of one legacy table. `rows`: how many were added up."""

    pair: SnapshotPair
    spec: TableSpec
    source: Source
    columns: Mapping[str, str]
    hash_of: str = MD5
    rows: int = field(default=0, init=False)

    def differing(self) -> list[str]:
        """The legacy keys of rows of which the two servers have not the same values, and those that only one has."""
        with ThreadPoolExecutor(1, thread_name_prefix="checksums") as other:  # each server adds up while the other does
            adding = other.submit(self._sums, self.pair.legacy, self._legacy("checksums"))
            target = self._sums(self.pair.session, self._target("checksums"))
            legacy = self._less(adding.result())
        self.rows = int(sum(sums[0] for sums in target.values()))
        ranges = sorted(one for one in legacy.keys() | target.keys() if legacy.get(one) != target.get(one))
        found: list[str] = []
        for first in range(0, len(ranges), RANGES_AT_ONCE):
            found += self._differing_in(ranges[first : first + RANGES_AT_ONCE])
        return found

    def _differing_in(self, ranges: Sequence[int]) -> list[str]:
        within = sql.SQL("WHERE (key & 4095)::int = ANY ({}::int[])").format(sql.Literal(list(ranges)))
        legacy = self._hashes(self.pair.legacy, self._legacy("checksum_rows", None, within))
        target = self._hashes(self.pair.session, self._target("checksum_rows", within))
        without = set(self._without_row())
        keys = {key for key, hashes in legacy.items() if key not in without and target.get(key) != hashes}
        return sorted(keys | (target.keys() - legacy.keys()))

    # --- sums -----------------------------------------------------------------------------------------------------

    def _less(self, sums: dict[int, Sums]) -> dict[int, Sums]:
        """Those of all legacy rows less those of rows that have none of their own in the target."""
        without = list(self._without_row())
        for first in range(0, len(without), KEYS):
            only = is_one_of(self.source, without[first : first + KEYS])
            for one, less in self._sums(self.pair.legacy, self._legacy("checksums", only)).items():
                sums[one] = tuple(a - b for a, b in zip(sums[one], less, strict=True))
        return {one: found for one, found in sums.items() if found[0]}

    def _sums(self, session: Session, statement: sql.Composable) -> dict[int, Sums]:
        return {row[0]: tuple(row[1:]) for row in session.rows(statement)}

    def _hashes(self, session: Session, statement: sql.Composable) -> dict[str, tuple[int, ...]]:
        return {row[0]: tuple(row[1:]) for row in session.rows(statement)}

    def _without_row(self) -> Iterator[str]:
        """Legacy keys that the state knows and that lead to no live row of their own."""
        names = statement_names(self.pair, self.spec, self.source.name)
        yield from (row[0] for row in self.pair.session.rows(SQL["without_row"].format(**names)))

    # --- statements -------------------------------------------------------------------------------------------------

    def _legacy(
        self, name: str, only: sql.Composable | None = None, within: sql.Composable | None = None
    ) -> sql.Composed:
        table = self.pair.legacy.database.table(self.source.name)
        rows = sql.SQL("{} AS l WHERE {}").format(table, only or sql.SQL("true"))
        values = [self._legacy_value(column) for column in self.columns.values()]
        return self._statement(name, rows, target_key(list(self.source.key_columns), "l"), values, within)

    def _target(self, name: str, within: sql.Composable | None = None) -> sql.Composed:
        rows = sql.SQL(
            "{} AS m JOIN {} AS t ON {} WHERE m.source_id = {} AND m.legacy_table = {} AND m.state = 'live'"
        ).format(
            self.pair.state.name(map_of(self.spec).name),
            self.pair.target.table(self.spec.name),
            key_join(self.spec),
            sql.Literal(self.pair.source_id),
            sql.Literal(self.source.name),
        )
        values = [sql.SQL("t.{}::text").format(sql.Identifier(column)) for column in self.columns]
        return self._statement(name, rows, sql.SQL("m.legacy_key::text"), values, within)

    def _legacy_value(self, column: str) -> sql.Composable:
        name = sql.Identifier("l", column)
        if isinstance(self.source.table.columns[column].type, DateTime):
            return sql.SQL("CASE WHEN " + CARRIED + " THEN {name}::text END").format(name=name)
        return readable(self.pair.legacy.database.unreadable, sql.SQL("{}::text").format(name))

    def _statement(
        self,
        name: str,
        rows: sql.Composable,
        key: sql.Composable,
        values: Sequence[sql.Composable],
        within: sql.Composable | None,
    ) -> sql.Composed:
        hashed = sql.SQL(self.hash_of)
        names = [sql.SQL("key"), *(sql.SQL(f"h{n}") for n in range(len(values)))]
        hashes = [sql.SQL("coalesce({}, 0)").format(hashed.format(value)) for value in (key, *values)]
        named = [sql.SQL("{} AS {}").format(*pair) for pair in zip(hashes, names, strict=True)]
        return SQL[name].format(
            rows=rows,
            key=key,
            hashes=sql.SQL(", ").join(named),
            numbers=sql.SQL(", ").join(names),
            sums=sql.SQL(", ").join(sql.SQL("sum({})").format(one) for one in names),
            within=within or sql.SQL(""),
        )


def checksums_of(pair: SnapshotPair, table: str, further: Collection[str] = ()) -> list[Checksums]:
    """The checksums of a target table: one for each legacy table of which it carries columns unchanged.

    `further`: legacy tables of which the keys alone are added up where no column is carried.
    """
    carried: dict[str, Mapping[str, str]] = {name: {} for name in further}
    for expectation in (one for one in expectations() if one.target == table):
        carried |= expectation.carried
    hash_of, found = _hash_of(pair), []
    for legacy_table, columns in carried.items():
        place = pair.source(table, legacy_table)
        if place is not None and not place[1].absent.intersection(columns.values()):
            found.append(Checksums(pair, *place, columns, hash_of))
    return found


def _hash_of(pair: SnapshotPair) -> str:
    if any(one.connection.info.parameter_status("server_encoding") != "UTF8" for one in (pair.session, pair.legacy)):
        return MD5  # the server's own is over its own bytes, and not every encoding has the letters of the probe
    probe = SQL["hash_probe"]
    return SERVERS_OWN if pair.session.value(probe) == pair.legacy.value(probe) else MD5
