"""Random corruptions of a migrated target or its legacy database, each of one cell, row, column, map entry, count or sequence.

Belongs here: making one and saying how a verification must name it. Does not belong here: the verification.
"""

import json
import random
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

import psycopg
from psycopg import sql
from sqlalchemy.dialects.postgresql import TIMESTAMP

from remoteiq_etl.verify.checks.aggregates import AGGREGATES, Sort, sort_of
from remoteiq_etl.verify.checks.conservation import CONSERVATION
from remoteiq_etl.verify.expected.expectation import expectations
from remoteiq_etl.verify.verdicts.model import Finding, FindingKind
from schemas import legacy
from tests.support.migrating import Migration, specs
from tests.support.server import Database

#: A legal other value by type.
_OTHER = {
    "text": "coalesce({c}, '') || 'x'",
    "citext": "coalesce({c}, '') || 'x'",
    "character varying": "'x' || length(coalesce({c}, ''))",
    "boolean": "NOT coalesce({c}, false)",
    "smallint": "coalesce({c}, 0) + 1",
    "integer": "coalesce({c}, 0) + 1",
    "bigint": "coalesce({c}, 0) + 1",
    "numeric": "coalesce({c}, 0) + 1",
    "timestamp with time zone": "coalesce({c}, '2020-01-01') + interval '1 hour'",
    "date": "coalesce({c}, '2020-01-01') + 1",
    "uuid": "gen_random_uuid()",
    "jsonb": "'{{\"corrupted\": 1}}'",
    "json": "'{{\"corrupted\": 1}}'",
    "inet": "'192.0.2.77'",
    "ARRAY": "ARRAY['corrupted']",
}

#: The later of both times stands here by the mapping, whoever wrote it.
_UNKNOWABLE = {"email_ingest_state": {"last_synced_at", "last_uid"}}


@dataclass(frozen=True)
class Corruption:
    """One corruption: what was done, and what a finding must say to name it."""

    what: str
    keys: frozenset[str]
    column: str | None = None
    tables: frozenset[str] = field(default_factory=frozenset)
    check: str | None = None

    def is_named_by(self, finding: Finding) -> bool:
        """Whether a finding names the row, and the column where one cell was changed in the target.

        Another corruption may have left the row without a cause: it is surplus then, whatever its columns hold.
        """
        if (self.tables and finding.table not in self.tables) or self.check not in (None, finding.check):
            return False
        named = {finding.key, finding.legacy_key} & self.keys if self.keys else True
        is_of_cell = self.column is None or self.column in finding.columns or finding.kind is FindingKind.SURPLUS
        return bool(named) and is_of_cell


@dataclass
class Corrupter:
    """Makes corruptions of one migration, of all target tables or of these."""

    migration: Migration
    random: random.Random
    tables: frozenset[str] | None = None

    def cells(self) -> Iterator[Corruption]:
        """One cell of one row of ours in each target table."""
        for table in self._tables:
            columns = self._columns(self.migration.target, table)
            names = sorted(compared_columns()[table] & columns.keys())
            if names and (found := self._row(table)):
                yield from self._first(names, lambda name, t=table, r=found, c=columns: self._cell(t, r, name, c[name]))

    def rows(self) -> Iterator[Corruption]:
        """One row of ours of each target table."""
        for table in self._tables:
            if found := self._row(table):
                new_key, legacy_key = found
                self._run(self.migration.target, _of_key("DELETE FROM {table} AS t WHERE {key}", self, table), new_key)
                yield Corruption(f"row {new_key} of {table} deleted", frozenset({new_key, legacy_key}))

    def entries(self) -> Iterator[Corruption]:
        """One entry of each map. Audits are known by their entries alone: without one it is a row of the application.

        Not of a row and of another that it owns: without the owner's entry the mapping makes none of the other.
        """
        owners = set[str]()
        changes = ("DELETE FROM {map} WHERE {entry}", "UPDATE {map} SET source_hash = '\\x00' WHERE {entry}")
        for table in self._tables:
            if table != "organization_setting_audits" and (found := self._row(table, owners)):
                new_key, legacy_key = found
                owners |= {_owner(legacy_key)} if specs()[table].owned_by is not None else set()
                change = self.random.choice(changes if self._has_hash(table, legacy_key) else changes[:1])
                names = {"map": _map(table), "entry": sql.SQL("legacy_key::text = %s AND new_key::text = %s")}
                self._run(self.migration.target, sql.SQL(change).format(**names), legacy_key, new_key)
                yield Corruption(f"{change} {legacy_key} of {table}", frozenset({new_key, legacy_key}))

    def legacy_cells(self, tables: Callable[[str], tuple[str, ...] | None]) -> Iterator[Corruption]:
        """One cell of one row in each of these legacy tables (name → its key columns)."""
        query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        with self.migration.legacy.connect() as connection:
            names = [row[0] for row in connection.execute(query).fetchall()]
        for table in names:
            if (keys := tables(table)) is not None and len(keys) == 1:
                columns = self._columns(self.migration.legacy, table)
                free = sorted(columns.keys() - {*keys})
                yield from self._first(
                    free, lambda name, t=table, k=keys[0], c=columns: self._legacy_cell(t, k, name, c[name])
                )

    def sequences(self) -> Iterator[Corruption]:
        """One sequence of the state schema."""
        self._run(self.migration.target, sql.SQL("SELECT setval('remoteiq_etl.runs_id_seq', 1, false)"))
        yield Corruption("the sequence of runs set back", frozenset(), "id", frozenset({"runs"}))

    @property
    def _tables(self) -> list[str]:
        return sorted(compared_columns().keys() & (self.tables or compared_columns().keys()))

    def counts(self) -> Iterator[Corruption]:
        """One count of what the books say of each target table: of a movement, or of a batch in the ledger, which still adds up."""
        changes = (
            "UPDATE remoteiq_etl.movements SET change = change + 1 WHERE {row}",
            "DELETE FROM remoteiq_etl.movements WHERE {row}",
            "UPDATE remoteiq_etl.ledger SET read = read + 1, outcomes ="
            " outcomes || jsonb_build_object('inserted', (outcomes ->> 'inserted')::bigint + 1) WHERE {row}",
        )
        rows = "ctid = (SELECT min(ctid) FROM {book} WHERE table_name = %s AND {is_one})"
        for table in self._tables:
            change = self.random.choice(changes)
            is_one = "outcomes ? 'inserted'" if "ledger" in change else "change <> 0"
            row = rows.format(book=change.split()[2 if change.startswith("DELETE") else 1], is_one=is_one)
            with self.migration.target.connect() as connection:
                done = connection.execute(change.format(row=row).encode(), [table]).rowcount
            if done:
                yield Corruption(f"{change} of {table}", frozenset(), None, frozenset({table}), CONSERVATION)

    def columns(self) -> Iterator[Corruption]:
        """Every row of a column that both servers add up, by the same: no sum of differences between rows would tell."""
        for table, name, kind in summed_columns(self._tables):
            shifts = {"time": "{c} + interval '7 hours'", "number": "{c} + 7"}
            shift = sql.SQL(shifts[kind]).format(c=sql.Identifier(name))
            statement = sql.SQL("UPDATE {} SET {} = {}").format(sql.Identifier(table), sql.Identifier(name), shift)
            if self._try(self.migration.target, statement):
                yield Corruption(f"{table}.{name} of every row", frozenset(), name, frozenset({table}), AGGREGATES)

    # --- how ----------------------------------------------------------------------------------------------------

    def _first(self, names: list[str], change: Callable[[str], Corruption | None]) -> Iterator[Corruption]:
        """The first column, in random order, that can be changed."""
        for name in self.random.sample(names, len(names)):
            if (made := change(name)) is not None:
                yield made
                return

    def _cell(self, table: str, row: tuple[str, str], name: str, kind: str) -> Corruption | None:
        statement = _of_key("UPDATE {table} AS t SET {name} = {value} WHERE {key}", self, table, name, kind)
        if statement is None or not self._try(self.migration.target, statement, row[0]):
            return None
        return Corruption(f"{table}.{name} of {row[0]}", frozenset({row[0]}), name, frozenset({table}))

    def _legacy_cell(self, table: str, key: str, name: str, kind: str) -> Corruption | None:
        value = self._value(self.migration.legacy, name, kind)
        if value is None:
            return None
        names = {"t": sql.Identifier(table), "key": sql.Identifier(key), "name": sql.Identifier(name)}
        statement = sql.SQL("UPDATE {t} SET {name} = {value} WHERE {key}::text = %s").format(**names, value=value)
        with self.migration.legacy.connect() as connection:
            rows = connection.execute(sql.SQL("SELECT {key}::text FROM {t} ORDER BY 1").format(**names)).fetchall()
            chosen = self.random.choice(rows)[0] if rows else None
            try:
                connection.execute(statement, [chosen])
            except psycopg.errors.IntegrityError:
                return None
        return chosen and Corruption(f"legacy {table}.{name} of {chosen}", frozenset({chosen}))

    def _row(self, table: str, but: Collection[str] = ()) -> tuple[str, str] | None:
        """New and legacy key of a random row of ours, not of these legacy keys."""
        rows = self.migration.query(
            f"SELECT new_key::text, legacy_key::text FROM remoteiq_etl.legacy_{table}_map WHERE state = 'live' AND NOT adopted"
            " AND legacy_table <> 'seed' ORDER BY 1"
        )
        free = [row for row in rows if row[1] not in but]
        if not free:
            return None
        new_key, legacy_key = self.random.choice(free)
        return new_key, legacy_key

    def _has_hash(self, table: str, legacy_key: str) -> bool:
        """Whether the table gives account of the legacy row: elsewhere a hash only says what to read again."""
        query = f"SELECT legacy_table FROM remoteiq_etl.legacy_{table}_map WHERE legacy_key::text = %s AND source_hash IS NOT NULL"
        primary = {source.name for source in specs()[table].streamed if source.primary}
        return any(row[0] in primary for row in self.migration.query(query, legacy_key))

    def _columns(self, database: Database, table: str) -> dict[str, str]:
        query = (
            "SELECT column_name, CASE data_type WHEN 'USER-DEFINED' THEN udt_name ELSE data_type END"
            " FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s"
        )
        with database.connect() as connection:
            return dict(connection.execute(query, [table]).fetchall())

    def _value(self, database: Database, name: str, kind: str) -> sql.Composable | None:
        """Another value of a column, as SQL; None where no other one is known."""
        if kind in _OTHER:
            # Of both sides of one row the same change would agree.
            other = _OTHER[kind]
            if database is not self.migration.target:
                for ours, theirs in (("1 hour", "3 hours"), ("'x'", "'y'"), ("+ 1", "+ 3"), ('": 1', '": 3')):
                    other = other.replace(ours, theirs)
            return sql.SQL(other).format(c=sql.Identifier(name))
        with database.connect() as connection:
            query = "SELECT e.enumlabel FROM pg_enum AS e JOIN pg_type AS t ON t.oid = e.enumtypid WHERE t.typname = %s"
            labels = [row[0] for row in connection.execute(query, [kind]).fetchall()]
        if len(labels) < 2:
            return None
        other = "CASE WHEN {c} IS DISTINCT FROM {a} THEN {a} ELSE {b} END"
        return sql.SQL(other).format(c=sql.Identifier(name), a=_label(labels[0], kind), b=_label(labels[1], kind))

    def _try(self, database: Database, statement: sql.Composable, *values: object) -> bool:
        try:
            self._run(database, statement, *values)
        except (
            psycopg.errors.IntegrityError,
            psycopg.errors.InvalidTextRepresentation,
            psycopg.errors.DatatypeMismatch,
        ):
            return False
        return True

    def _run(self, database: Database, statement: sql.Composable | None, *values: object) -> None:
        assert statement is not None
        with database.connect() as connection:
            connection.execute(statement, values or None)


def _owner(legacy_key: str) -> str:
    """The key of the row that owns one with this key."""
    return str(json.loads(legacy_key)[0]) if legacy_key.startswith("[") else legacy_key


def compared_columns() -> dict[str, set[str]]:
    """By target table the columns that every opinion about it compares, but for its key."""
    from schemas import target

    found: dict[str, set[str]] = {}
    for expectation in expectations():
        table = target.metadata.tables[f"target.{expectation.target}"]
        plain = {column.name for column in table.columns if not column.primary_key} - expectation.not_compared.keys()
        plain -= _UNKNOWABLE.get(expectation.target, set())
        if specs()[expectation.target].log_like:
            # Where legacy has no time it is that of the insert, and of a log no value is recorded.
            plain -= {
                column.name for column in table.columns if isinstance(column.type, TIMESTAMP) and not column.nullable
            }
        found[expectation.target] = found.get(expectation.target, plain) & plain
    return found


def summed_columns(tables: Collection[str]) -> list[tuple[str, str, str]]:
    """Columns of numbers and times of these target tables that both servers add up, and of what sort they are."""
    found = []
    for expectation in (one for one in expectations() if one.target in tables):
        for legacy_table, columns in expectation.carried.items():
            kinds = {
                name: sort_of(legacy.metadata.tables[f"legacy.{legacy_table}"].columns[own].type)
                for name, own in columns.items()
            }
            found += [
                (expectation.target, name, kind.value)
                for name, kind in kinds.items()
                if kind in (Sort.NUMBER, Sort.TIME)
            ]
    return found


def _of_key(pattern: str, of: Corrupter, table: str, name: str = "", kind: str = "") -> sql.Composed | None:
    """A statement about one row, by its key as the map writes it."""
    from schemas import target

    keys = [column.name for column in target.metadata.tables[f"target.{table}"].primary_key.columns]
    if len(keys) == 1:
        condition: sql.Composable = sql.SQL("t.{}::text = %s").format(sql.Identifier(keys[0]))
    else:
        parts = [sql.SQL("t.{}::text").format(sql.Identifier(key)) for key in keys]
        condition = sql.SQL("jsonb_build_array({}) = (%s)::jsonb").format(sql.SQL(", ").join(parts))
    value = of._value(of.migration.target, name, kind) if name else sql.SQL("")
    if value is None:
        return None
    return sql.SQL(pattern).format(
        table=sql.Identifier(table), name=sql.Identifier(name or "t"), key=condition, value=value
    )


def _map(table: str) -> sql.Identifier:
    return sql.Identifier("remoteiq_etl", f"legacy_{table}_map")


def _label(label: str, kind: str) -> sql.Composed:
    return sql.SQL("{}::{}").format(sql.Literal(label), sql.Identifier(kind))
