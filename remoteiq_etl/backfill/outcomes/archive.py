"""The archive: legacy values without a home in the target, kept per legacy row, and the count of them per column.

Secrets are sealed when a sealing key is given, else withheld and counted. Belongs here: what an archive entry says and
the statements that write and count entries. Does not belong here: which values have no home (the transforms), how
sealing works (see sealing).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg import sql
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.backfill.context.prepared import PreparedBatch
from remoteiq_etl.backfill.context.report import ArchiveCount
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.derived_ids import short_key
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.sensitive.redaction import NAMES_A_SECRET, SECRET_KEY, is_secret, plain, redacted_json
from remoteiq_etl.sensitive.sealing import Place, Sealer
from remoteiq_etl.spec.batch import Kept
from remoteiq_etl.spec.dispositions import DispositionKind
from remoteiq_etl.spec.table import Source, TableSpec

SQL = statements(__file__)

TABLE = "legacy_archive"


_NUL = "\\u0000"

#: The remark on a value that is not kept, or kept without its secret parts, because no sealing key is given.
WITHHELD = "secret_withheld"


@dataclass(frozen=True)
class ArchiveEntry:
    """One legacy value in the archive. `value` is JSON text: None where the whole value is secret."""

    legacy_key: str
    column: str
    rule: str
    value: str | None
    sealed: str | None = None
    withheld: bool = False


def place_of(legacy_table: str, legacy_key: str, column: str) -> Place:
    """The place that a sealed value of the archive is bound to."""
    return (TABLE, legacy_table, legacy_key, column)


def entry(kept: Kept, legacy_table: str, column: Column[Any] | None, sealer: Sealer | None) -> ArchiveEntry:
    """One value as the archive keeps it. `column`: its definition; None of a column that no definition knows.

    A secret column is sealed whole; a JSON value with secret parts keeps its other parts in clear and is sealed besides.
    """
    full = _json_text(kept.value, column)
    secret = bool(SECRET_KEY.search(kept.column)) if column is None else is_secret(column)
    return entry_of_text(kept.key, kept.column, kept.rule, full, legacy_table, sealer, secret=secret)


def entry_of_text(
    key: str, column: str, rule: str, full: str, legacy_table: str, sealer: Sealer | None, *, secret: bool
) -> ArchiveEntry:
    """One value, given as JSON text, as the archive keeps it. `secret`: nothing of it may be read by everyone."""
    clear = None if secret else _public(full)
    kept = _storable(clear)
    if full == clear:
        return ArchiveEntry(key, column, rule, kept)
    if sealer is None:
        return ArchiveEntry(key, column, rule, kept, withheld=True)
    return ArchiveEntry(key, column, rule, kept, sealer.seal(full, place_of(legacy_table, key, column)))


def entries(prepared: PreparedBatch, table: Table | None, sealer: Sealer | None) -> list[ArchiveEntry]:
    """What a batch leaves in the archive. `table`: the legacy table that it was read from; None of derived rows."""
    last = {(kept.key, kept.column): replace(kept, key=short_key(kept.key)) for kept in prepared.archive}
    return [
        entry(kept, prepared.legacy_table, None if table is None else table.columns.get(kept.column), sealer)
        for kept in last.values()
    ]


def write(run: RunContext, asset: str, legacy_table: str, made: Iterable[ArchiveEntry]) -> None:
    """Put an asset's entries into the archive; those that are there already stay as they are. Needs a transaction."""
    rows = [vars(one) for one in made]
    if rows:
        run.session.execute(
            SQL["archive"].format(**names_of(run, asset), legacy_table=sql.Literal(legacy_table)),
            {"rows": json_text.dumps(rows)},
        )


def count(run: RunContext, spec: TableSpec) -> list[ArchiveCount]:
    """Record what the archive holds of a table's legacy columns, and how much of them is retired. Needs a transaction."""
    return count_entries(run, spec.asset, [source.name for source in spec.sources], _retired(run, spec))


def count_entries(
    run: RunContext, asset: str, legacy_tables: Sequence[str], more: Iterable[ArchiveCount] = ()
) -> list[ArchiveCount]:
    """Record what the archive holds of these legacy tables by an asset, and `more`. Needs a transaction."""
    names = names_of(run, asset)
    held = run.session.rows(SQL["archive_counts"].format(**names), {"legacy_tables": list(legacy_tables)})
    found = [*(ArchiveCount(*row) for row in held), *more]
    run.session.execute_many(
        SQL["archive_count"].format(**names),
        [[one.legacy_table, one.column, one.rule, one.rows, one.bytes, one.clear, one.sealed, one.withheld, one.retired]
         for one in found],
    )  # fmt: skip
    return found


def last_counts(run: RunContext, specs: Sequence[TableSpec]) -> Mapping[str, list[ArchiveCount]]:
    """What the last run that loaded each table recorded, by asset: where nothing is read, nothing of it has changed."""
    found: dict[str, list[ArchiveCount]] = {spec.asset: [] for spec in specs}
    parameters = {"source_id": run.source_record.id, "assets": list(found)}
    for asset, *count in run.session.rows(SQL["last_archive_counts"].format(**run.state.names), parameters):
        found[asset].append(ArchiveCount(*count))
    return found


# --- what an entry says -------------------------------------------------------------------------------------------


def _public(full: str) -> str | None:
    """What of a value may be read by everyone: the same text where nothing in it is secret.

    None where its secrets cannot be told from the rest: a text of other people's JSON (NaN, half a character, nested deeper
    than anybody reads).
    """
    if full.lstrip('"')[:1] not in ("{", "["):
        return full  # most values: not parsed again
    if json_text.is_too_deep(full):
        return None if NAMES_A_SECRET.search(full) else full
    value = json_text.parse(full)
    inner = _parsed(value) if isinstance(value, str) else value  # a text, too, may hold an object with secrets
    if inner is None:
        return None if NAMES_A_SECRET.search(value) else full
    redacted = redacted_json(inner)
    return full if redacted == inner else json_text.dumps(redacted)


def _storable(text: str | None) -> str | None:
    """No jsonb holds the character NUL, which a json may: such a value is kept as a text."""
    return json_text.dumps(text) if text is not None and _NUL in text else text


def _json_text(value: Any, column: Column[Any] | None) -> str:
    """A value as JSON text: what is JSON already stays byte for byte."""
    if isinstance(value, str):
        is_json = _parsed(value) is not None if column is None else isinstance(column.type, pg.JSON)
        return value if is_json else json_text.dumps(value)
    return json_text.dumps(value if isinstance(value, dict) else plain(value))


def _parsed(text: str) -> Any:
    """The object or array that a text is; None of everything else, and of what PostgreSQL does not take for one."""
    if text[:1] not in ("{", "["):
        return None
    try:
        value = json_text.parse(text)
        json_text.dumps(value).encode()  # half a character (a lone surrogate) has no bytes
    except ValueError:
        return None
    return value


# --- counts -------------------------------------------------------------------------------------------------------


def _retired(run: RunContext, spec: TableSpec) -> Iterator[ArchiveCount]:
    """How many values of its retired columns the legacy database holds: the only ones that are not carried."""
    places = [place.split(".", 1) for place, one in spec.dispositions.items() if one.kind is DispositionKind.RETIRED]
    for table, column in places:
        if column not in run.plan.absent.get(table, ()):
            names = {"table": run.legacy.table(table), "column": sql.Identifier(column)}
            rows, size = run.snapshot.session.rows(SQL["retired"].format(**names))[0]
            yield ArchiveCount(table, column, DispositionKind.RETIRED.value, retired=rows, bytes=size)


def names_of(run: RunContext, asset: str) -> dict[str, sql.Composable]:
    """What a statement about an asset's archive may name; not every asset of the archive has a declaration."""
    return {
        **run.state.names,
        "source_id": sql.Literal(run.source_record.id),
        "run_id": sql.Literal(run.id),
        "table_name": sql.Literal(asset),
    }


def columns_of(spec: TableSpec, legacy_table: str) -> Table | None:
    """The definition of a legacy table that a declaration streams; None of derived rows."""
    return next((one.table for one in spec.sources if isinstance(one, Source) and one.name == legacy_table), None)
