"""Rows that a decide step keeps in tables of the state schema: a record for people, read by no load.

Such a table has source_id in its key, run_id for the run that last changed a row, and at least one more column that is no
key. Belongs here: bringing it to what the step says. Does not belong here: which tables there are (see schemas.state).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from psycopg import sql
from sqlalchemy import Table

from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.errors import ContractError
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.derived_ids import short_key
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.decisions import Decide, Decided
from remoteiq_etl.spec.table import TableSpec

SQL = statements(__file__)

_OURS = ("source_id", "run_id")


def keep_rows(run: RunContext, step: Decide, decided: Decided) -> None:
    """Bring each table that the step keeps to its rows of this source. Raises ContractError when one has none given."""
    tables = {table.name: table for table in step.keeps}
    if tables.keys() != decided.kept.keys():
        raise ContractError(
            f"a decide step declares that it keeps {sorted(tables)}, but returned rows of {sorted(decided.kept)}."
            " Each table needs all of its rows, or what is left out would be removed; this is a fault of the program."
        )
    for name, table in tables.items():
        _replace(run, table, decided.kept[name])


def _replace(run: RunContext, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    names, given = _names(run, table), {"rows": json_text.dumps(list(rows))}
    run.session.execute(SQL["drop_rows"].format(**names), given)
    run.session.execute(SQL["keep_rows"].format(**names), given)


def _names(run: RunContext, table: Table) -> dict[str, sql.Composable]:
    key = [column.name for column in table.primary_key.columns]
    columns = [column.name for column in table.columns if column.name not in _OURS]
    plain = [name for name in columns if name not in key]
    return {
        "table": run.state.name(table.name),
        "source_id": sql.Literal(run.source_record.id),
        "run_id": sql.Literal(run.id),
        "key": _list(key),
        "columns": _list(columns),
        "values": _list(columns, "v"),
        "current": _list(plain, "known"),
        "incoming": _list(plain, "excluded"),
        "assignments": sql.SQL(", ").join(sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in plain),
        "same_key": sql.SQL(" AND ").join(
            sql.SQL("v.{0} = known.{0}").format(sql.Identifier(name)) for name in key if name not in _OURS
        ),
    }


def _list(names: Iterable[str], of: str | None = None) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(*filter(None, (of, name))) for name in names)


def keep_warnings(run: RunContext, spec: TableSpec, decided: Decided) -> None:
    """Add the warnings that are new, and drop those that no longer hold; the others stay untouched."""
    rows = [{**asdict(one), "legacy_key": short_key(one.legacy_key)} for one in sorted(set(decided.warnings))]
    statement = SQL["keep_warnings"].format(warnings=run.state.name("decision_warnings"))
    parameters = {
        "source_id": run.source_record.id,
        "asset": spec.asset,
        "run_id": run.id,
        "rows": json_text.dumps(rows),
    }
    run.session.execute(statement, parameters)
