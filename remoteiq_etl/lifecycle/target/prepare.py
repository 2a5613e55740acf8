"""Makes the target ready for a load: what is missing is created, what is there stays.

Belongs here: extensions, schema, enum types and bare tables, in one transaction. Foreign keys and indexes of the tables
that it creates are left out, because they cost more than half of a load; `finalize` makes them, from what is recorded
here. Does not belong here: judging differences (`drift`), the trigger function (`trigger`).
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import psycopg
from psycopg import sql
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import ENUM

from remoteiq_etl.errors import PrepareError
from remoteiq_etl.lifecycle.drift.catalogue import read_schema, schema_exists
from remoteiq_etl.lifecycle.drift.report import Drift, DriftReport, compare
from remoteiq_etl.lifecycle.drift.shape import SchemaShape
from remoteiq_etl.lifecycle.target import ownership, trigger
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.errors.failures import brief, fault_of
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.dependencies import reached
from remoteiq_etl.state.schema import State
from schemas import ddl, target

SQL = statements(__file__)

LOCK_TIMEOUT = "5s"
"""Who waits longer for a lock of the live application makes the application wait as long behind it."""


@dataclass(frozen=True)
class PreparedTarget:
    """What prepare did and found, names in order of creation.

    `left_out`: foreign keys and indexes that finalize still has to make, of this call or an earlier one.
    `without_trigger`: tables not ours on which `set_updated_at` should run and does not; they stay so.
    `drifts`: the differences that block nothing, as they were before.
    """

    extensions: tuple[str, ...]
    enums: tuple[str, ...]
    created: tuple[str, ...]
    existing: tuple[str, ...]
    left_out: tuple[str, ...]
    function: trigger.Outcome
    without_trigger: tuple[str, ...]
    drifts: tuple[Drift, ...]


def prepare(
    session: Session, *, target_schema: str, state: State, tables: Collection[str] | None = None
) -> PreparedTarget:
    """Create what the target lacks for the tables (default: all) and those they refer to, in one transaction.

    It may be repeated, and called by several at once. A table that exists keeps everything it has. Raises DriftError
    when something that exists is in the way, PrepareError when something cannot be created; then nothing is changed.
    """
    wanted = with_parents(tables)
    with _explained(target_schema), session.transaction():
        session.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_TIMEOUT))
        ownership.lock_transaction(session)
        report = _report(session, target_schema, wanted)
        report.raise_if_blocking()
        prepared = _prepare(session, target_schema, state, wanted)
        # Now that the tables are there, the leftovers that were hidden before show: an enum type without some label.
        _report(session, target_schema, wanted).raise_if_blocking()
    return replace(prepared, drifts=report.drifts)


def with_parents(names: Collection[str] | None = None) -> list[Table]:
    """Return the target tables of these names (default: all) and all that they refer to, parents first.

    Raises PrepareError for a name that no target table has.
    """
    every = {table.name: table for table in target.metadata.sorted_tables}
    asked = set(every if names is None else names)
    if unknown := sorted(asked - every.keys()):
        raise PrepareError(f"expected names of target tables, found {', '.join(unknown)}; see schemas/target.")
    wanted = reached(asked, lambda name: [key.referred_table.name for key in every[name].foreign_key_constraints])
    return [table for name, table in every.items() if name in wanted]


def _prepare(session: Session, schema: str, state: State, wanted: list[Table]) -> PreparedTarget:
    """Create everything; the transaction and the lock are there."""
    _ensure_schema(session, schema)
    extensions = _ensure_extensions(session, schema)
    state.ensure(session)
    found = read_schema(session.connection, schema)
    enums = _ensure_enums(session, schema, found, wanted)
    created = _ensure_tables(session, schema, state, found, wanted)
    expected_here = ownership.created_by_us(session, state, schema) | {*created}
    own = [table for table in wanted if table.name in expected_here and ddl.has_trigger(table)]
    function = trigger.ensure_function(session, state, schema, needed=bool(own))
    trigger.ensure_triggers(session, schema, own)
    return PreparedTarget(
        extensions=extensions,
        enums=enums,
        created=created,
        existing=tuple(table.name for table in wanted if table.name not in created),
        left_out=tuple(part.name for part in ownership.left_out(session, state, schema)),
        function=function,
        without_trigger=_without_trigger(session, schema, wanted),
        drifts=(),
    )


def _report(session: Session, schema: str, wanted: list[Table]) -> DriftReport:
    """Return the drift of the wanted tables and their enum types, and of the schema itself."""
    names = {None, *(table.name for table in wanted), *(str(enum.name) for enum in _enums_of(wanted))}
    report = compare(session.connection, schema, target.metadata, "target")
    return replace(report, drifts=tuple(drift for drift in report.drifts if drift.table in names))


def _ensure_schema(session: Session, schema: str) -> None:
    # Not IF NOT EXISTS alone: it asks for the right to create even when there is nothing to create.
    if not schema_exists(session.connection, schema):
        _execute(session, ddl.schema_ddl(schema))


def _ensure_extensions(session: Session, schema: str) -> tuple[str, ...]:
    """Create the missing extensions, in `public` where there is one; let their types be found in this transaction."""
    installed = {row[0] for row in session.rows("SELECT extname FROM pg_catalog.pg_extension")}
    missing = [name for name in ddl.EXTENSIONS if name not in installed]
    _set_search_path(session, ["public", schema])
    for name, statement in zip(ddl.EXTENSIONS, ddl.extension_ddl(), strict=True):
        if name in missing:
            _create_extension(session, name, statement)
    places = [row[0] for row in session.rows(SQL["extension_schemas"], [list(ddl.EXTENSIONS)])]
    _set_search_path(session, [schema, *places, *(["public"] if missing and "public" not in places else [])])
    return tuple(missing)


def _set_search_path(session: Session, schemas: list[str]) -> None:
    path = sql.SQL(", ").join(map(sql.Identifier, schemas))
    session.execute(sql.SQL("SET LOCAL search_path TO {}").format(path))


def _create_extension(session: Session, name: str, statement: str) -> None:
    try:
        session.execute(statement)
    except (
        psycopg.errors.InsufficientPrivilege,
        psycopg.errors.FeatureNotSupported,
        psycopg.errors.UndefinedFile,
    ) as error:
        raise PrepareError(
            f"the target needs the extension {name}, which is missing and cannot be created:"
            f" {brief(error)}. Let an administrator install it (it is in the server's contrib"
            f" package) and run CREATE EXTENSION {name}, then repeat. Nothing was changed."
        ) from error


def _ensure_enums(session: Session, schema: str, found: SchemaShape, wanted: list[Table]) -> tuple[str, ...]:
    missing = [enum for enum in _enums_of(wanted) if enum.name not in found.enums]
    for enum in missing:
        _execute(session, ddl.enum_ddl(enum, schema))
    return tuple(str(enum.name) for enum in missing)


def _enums_of(tables: Iterable[Table]) -> list[ENUM]:
    types = [column.type for table in tables for column in table.columns]
    names = {inner.name for type_ in types if isinstance(inner := getattr(type_, "item_type", type_), ENUM)}
    return [enum for enum in ddl.enums_of(target.metadata) if enum.name in names]


def _ensure_tables(
    session: Session, schema: str, state: State, found: SchemaShape, wanted: list[Table]
) -> tuple[str, ...]:
    """Create the missing tables, after recording what they will lack."""
    missing = [table for table in wanted if table.name not in found.tables]
    _record(session, schema, state, missing)
    ownership.record_found(session, state, schema, [table.name for table in wanted])
    for table in missing:
        _execute(session, ddl.table_ddl(table, schema, foreign_keys=False, indexes=False))
    return tuple(table.name for table in missing)


def _record(session: Session, schema: str, state: State, missing: list[Table]) -> None:
    """Record the missing tables, and the older ones of ours that lost a foreign key with a table they referred to."""
    names = {table.name for table in missing}
    expected_here = ownership.created_by_us(session, state, schema) - names
    older = [table for table in target.metadata.sorted_tables if table.name in expected_here]
    lost = [
        part
        for table in older
        for key, part in zip(ddl.foreign_keys_of(table), ownership.late_foreign_keys(table, schema), strict=True)
        if key.referred_table.name in names
    ]
    parts = [part for table in missing for part in ownership.late_parts(table, schema)]
    ownership.record_left_out(session, state, schema, [*parts, *lost])
    ownership.record_created(session, state, schema, sorted({*names, *(part.table for part in lost)}))


def _without_trigger(session: Session, schema: str, wanted: list[Table]) -> tuple[str, ...]:
    present = trigger.tables_with_trigger(session, schema)
    return tuple(table.name for table in wanted if ddl.has_trigger(table) and table.name not in present)


def _execute(session: Session, statements: Iterable[str]) -> None:
    for statement in statements:
        session.execute(statement)


@contextmanager
def _explained(schema: str) -> Iterator[None]:
    """Turn what the server says into a PrepareError."""
    failed = partial("the target schema {!r} cannot be prepared: {}. Nothing was changed. {}".format, schema)
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        hint = (
            "Connect as the owner of the schema, or grant our role CREATE on it, and CREATE on the database for our"
            " own schema; a function is only replaced by its owner."
        )
        raise PrepareError(failed(brief(error), hint)) from error
    except psycopg.errors.LockNotAvailable as error:
        hint = f"Somebody else holds a lock on it for more than {LOCK_TIMEOUT}; repeat when that is over."
        raise PrepareError(failed(brief(error), hint)) from error
    except psycopg.Error as error:
        raise PrepareError(failed(brief(error), fault_of(error).advice)) from error
