"""Completes a target after the load: foreign keys and secondary indexes of the tables that prepare created, and the rest.

Belongs here: making what the state table `removed` lists, step by step, so that a killed attempt goes on where it
stopped; comparing the catalogue with what we expect; the order of what comes besides (see completion, views). Does not
belong here: keys and indexes of tables that somebody else created.

A foreign key goes pending → created (not valid: it refuses new rows only) → valid; an index pending → valid.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from sqlalchemy import ForeignKeyConstraint, Index

from remoteiq_etl.errors import PrepareError
from remoteiq_etl.lifecycle.drift.catalogue import SQL as CATALOGUE
from remoteiq_etl.lifecycle.drift.catalogue import read_schema
from remoteiq_etl.lifecycle.drift.report import compare
from remoteiq_etl.lifecycle.target import completion, ownership
from remoteiq_etl.lifecycle.target.ownership import LatePart
from remoteiq_etl.lifecycle.target.script import ScriptSession
from remoteiq_etl.lifecycle.target.views import make_views
from remoteiq_etl.postgres import session_settings
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.errors.failures import brief
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.schema import State
from schemas import ddl, target

SQL = statements(__file__)

Progress = Callable[[str, int, int], None]
"""Called after each part with its name, how many are done and how many there are."""

LOCK_TIMEOUT = "3s"
"""For ALTER TABLE. It queues behind every open transaction on both tables, and all later statements of the application
queue behind it: three seconds are felt, a minute is an outage."""

INDEX_LOCK_TIMEOUT = "60s"
"""For concurrent index builds. They wait for older transactions of the whole database, but nobody waits behind them."""

ATTEMPTS = 5
"""With the pauses a quarter of a minute for foreign keys: longer than the transactions of a web application."""

PAUSE = 1.0
"""Seconds between two attempts, in which the queue behind us drains."""

FEW = 5
"""Keys named in a message: enough to look the rows up, few enough to read."""

_BUSY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)


@dataclass(frozen=True)
class Finalized:
    """What finalize made and which tables are complete since this call, by name; `remarks`: why a reporting view was not."""

    foreign_keys: tuple[str, ...]
    indexes: tuple[str, ...]
    tables: tuple[str, ...]
    not_null: tuple[str, ...] = ()
    sequences: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def finalize(
    session: Session, *, target_schema: str, state: State, progress: Progress | None = None, whole: bool = False
) -> Finalized:
    """Make what prepare left out, each part in transactions of its own, then compare the catalogue.

    Then come sequences, statistics (of the tables completed now; `whole`: of all) and the reporting views.

    The session should be in autocommit mode and outside of a transaction: else everything belongs to the caller's
    transaction, and tables are locked while their indexes are built. No transaction of ours may be open in the same
    database (the snapshot of a run): concurrent index builds wait for it. It may be repeated; what is there already is
    not made again. Raises PrepareError that names every part that could not be
    made, after all others were made, or every difference between the completed tables and what we expect.
    """
    if not state.exists(session):
        raise PrepareError(
            f"schema {target_schema!r} was never prepared (no state schema {state.schema!r}); prepare it."
        )
    with _explained(target_schema), ownership.locked(session):
        parts = ownership.left_out(session, state, target_schema)
        _make_all(_Maker(session, target_schema, state), parts, progress)
        tables = ownership.unfinished(session, state, target_schema)
        not_null = completion.set_not_null(session, target_schema, tables, LOCK_TIMEOUT)
        if not isinstance(session, ScriptSession):
            _require_no_difference(session, target_schema, tables)
        sequences = completion.advance_sequences(session, target_schema)
        completion.analyze(session, target_schema, _present(session, target_schema) if whole else tables)
        if not isinstance(session, ScriptSession):
            completion.analyze_state(session, state.schema)
        views = make_views(session, target_schema)
        ownership.mark_finalized(session, state, target_schema, tables)
    return Finalized(
        foreign_keys=tuple(part.name for part in parts if part.validate),
        indexes=tuple(part.name for part in parts if not part.validate),
        tables=tuple(sorted(tables)),
        not_null=not_null,
        sequences=sequences,
        views=views.made,
        remarks=views.remarks,
    )


def _present(session: Session, schema: str) -> frozenset[str]:
    return frozenset(read_schema(session.connection, schema).tables)


def _make_all(maker: "_Maker", parts: list[LatePart], progress: Progress | None) -> None:
    """Make every part that can be made. Raises PrepareError that names all others."""
    problems = []
    for done, part in enumerate(parts, start=1):
        try:
            maker.make(part)
        except PrepareError as error:
            problems.append(str(error))
        if progress:
            progress(part.name, done, len(parts))
    if problems:
        lines = "\n".join(f"  {problem}" for problem in problems)
        raise PrepareError(
            f"{len(problems)} of {len(parts)} parts of schema {maker.schema!r} are not complete:\n{lines}"
        )


@dataclass(frozen=True)
class _Maker:
    """Makes one part at a time; the catalogue says how far an earlier attempt came, the state schema follows it."""

    session: Session
    schema: str
    state: State

    def make(self, part: LatePart) -> None:
        """Make one part. Raises PrepareError when the rows or the rights do not allow it."""
        step = self._make_foreign_key if part.validate else self._make_index
        try:
            _patiently(step, part)
        except psycopg.errors.ForeignKeyViolation as error:
            raise PrepareError(self._orphans(part)) from error
        except psycopg.Error as error:
            if self.session.connection.closed:
                raise
            raise PrepareError(
                f"{part.name} on {part.table}: {brief(error)}; remove the cause (both tables must belong to"
                " the role that we connect as), then repeat"
            ) from error

    def _make_foreign_key(self, part: LatePart) -> None:
        valid = self._is_valid("foreign_key_is_valid", part)
        if valid is None:
            self._step(part, part.ddl, "created")
        self._step(part, None if valid else part.validate, "valid")

    def _make_index(self, part: LatePart) -> None:
        valid = self._is_valid("index_is_valid", part)
        if not valid:
            self._build(part, leftover=valid is False)
        if not isinstance(self.session, ScriptSession) and not self._is_valid("index_is_valid", part):
            raise PrepareError(
                f"{part.name} on {part.table}: expected to make an index of this name, found something else that has it"
                f" in schema {self.schema!r}; rename or drop that, then repeat"
            )
        ownership.mark(self.session, self.state, self.schema, part, "valid")

    def _build(self, part: LatePart, *, leftover: bool) -> None:
        """Build an index after dropping the invalid one that a killed attempt left."""
        concurrently = self._may_build_concurrently()
        how = "INDEX CONCURRENTLY" if concurrently else "INDEX"
        drop = sql.SQL("DROP " + how + " IF EXISTS {}").format(sql.Identifier(self.schema, part.name))
        with self._session_lock_timeout() if concurrently else self._transaction():
            if leftover:
                self.session.execute(drop)
            self.session.execute(part.ddl.replace("INDEX", f"{how} IF NOT EXISTS", 1))

    def _step(self, part: LatePart, statement: str | None, reached: str) -> None:
        """Run one statement and record it, in one transaction."""
        with self._transaction():
            if statement:
                self.session.execute(statement)
            ownership.mark(self.session, self.state, self.schema, part, reached)

    def _is_valid(self, query: str, part: LatePart) -> bool | None:
        """Tell whether the part is there and valid; None: it is not there."""
        places = {"schema": self.schema, "table": part.table, "name": part.name}
        found: bool | None = self.session.value(SQL[query], places)
        return found

    def _may_build_concurrently(self) -> bool:
        connection = self.session.connection
        return connection.autocommit and connection.info.transaction_status == TransactionStatus.IDLE

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self.session.transaction():
            self.session.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_TIMEOUT))
            yield

    @contextmanager
    def _session_lock_timeout(self) -> Iterator[None]:
        """Set the time-out outside of a transaction, where SET LOCAL has no effect."""
        self.session.execute(sql.SQL("SET lock_timeout = {}").format(INDEX_LOCK_TIMEOUT))
        try:
            yield
        finally:
            if not self.session.connection.closed:
                self.session.execute(sql.SQL("SET lock_timeout = {}").format(session_settings.LOCK_TIMEOUT))

    def _orphans(self, part: LatePart) -> str:
        """Say which rows keep a foreign key from being valid: how many, and a few of the keys that lead nowhere."""
        constraint = _constraint(part)
        count, keys = self.session.rows(_orphans_query(constraint, self.schema))[0]
        columns = ", ".join(constraint.column_keys)
        return (
            f"{part.name}: {count} rows of {part.table} refer by {columns} to rows of {constraint.referred_table.name}"
            f" that are not there ({', '.join(keys)}{', …' if count > len(keys) == FEW else ''}); delete those rows or"
            " add their parents, then repeat"
        )


def _patiently(step: Callable[[LatePart], None], part: LatePart) -> None:
    """Repeat a step that others hold up. Raises PrepareError when they do not let go."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return step(part)
        except _BUSY as error:
            if attempt == ATTEMPTS:
                raise PrepareError(
                    f"{part.name} on {part.table}: held up {ATTEMPTS} times by other transactions"
                    f" ({brief(error)}); end them or wait, then repeat"
                ) from error
            time.sleep(PAUSE)
    return None


def _constraint(part: LatePart) -> ForeignKeyConstraint:
    constraints = ddl.foreign_keys_of(target.metadata.tables[f"target.{part.table}"])
    return next(constraint for constraint in constraints if constraint.name == part.name)


def _orphans_query(constraint: ForeignKeyConstraint, schema: str) -> sql.Composed:
    """Return the query for the number of rows without parent and a few of the keys that they refer by."""
    own = [sql.Identifier("c", name) for name in constraint.column_keys]
    referred = [sql.Identifier("p", element.column.name) for element in constraint.elements]
    pairs = [
        sql.SQL("{} = {}").format(theirs, expected_here) for theirs, expected_here in zip(referred, own, strict=True)
    ]
    return SQL["orphans"].format(
        row=sql.SQL("concat_ws(', ', {})").format(sql.SQL(", ").join(own)),
        child=sql.Identifier(schema, constraint.table.name),
        parent=sql.Identifier(schema, constraint.referred_table.name),
        present=sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(name) for name in own),
        joined=sql.SQL(" AND ").join(pairs),
        few=sql.Literal(FEW),
    )


def _require_no_difference(session: Session, schema: str, tables: frozenset[str]) -> None:
    """Raise PrepareError unless the tables are exactly what we expect.

    Only those that are completed now: afterwards the schema belongs to the application and its migrations.
    """
    report = compare(session.connection, schema, target.metadata, "target")
    lines = [str(drift) for drift in report.drifts if drift.table in tables]
    lines += _index_differences(session, schema, tables)
    if lines:
        listed = "\n".join(f"  {line}" for line in lines)
        raise PrepareError(f"the tables that we created in schema {schema!r} are not what we expect:\n{listed}")


def _index_differences(session: Session, schema: str, tables: frozenset[str]) -> list[str]:
    found = {row for row in session.rows(CATALOGUE["indexes"], {"schema": schema}) if row[0] in tables}
    expected = {
        (table.name, _definition(index), bool(index.unique))
        for table in target.metadata.sorted_tables
        if table.name in tables
        for index in table.indexes
    }
    missing = [f"missing index: {table}: {definition}" for table, definition, _ in sorted(expected - found)]
    return missing + [f"extra index: {table}: {definition}" for table, definition, _ in sorted(found - expected)]


def _definition(index: Index) -> str:
    """Return the definition as the catalogue prints it; no index of ours is partial or over an expression."""
    return f"btree ({', '.join(str(getattr(part, 'name', part)) for part in index.expressions)})"


@contextmanager
def _explained(schema: str) -> Iterator[None]:
    """Turn what the server says into a PrepareError."""
    try:
        yield
    except psycopg.Error as error:
        raise PrepareError(
            f"schema {schema!r} cannot be finalized: {brief(error)}. What was made so far stays; remove the"
            " cause, then repeat."
        ) from error
