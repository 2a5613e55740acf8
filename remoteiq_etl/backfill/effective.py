"""A table as live databases have it: the target with the further columns found there, the sources without those that lack.

Transforms fill those of the further columns that the mapping names (the optional ones); all others keep their default.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Column, MetaData, Table, Text
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.types import TypeEngine

from remoteiq_etl.backfill.database import Session
from remoteiq_etl.backfill.redact import SECRET_KEY
from remoteiq_etl.backfill.spec import Source, TableSpec


def live_columns(session: Session, schema: str) -> dict[str, dict[str, str]]:
    """Every table of a schema with its columns and their types, without those that the server alone fills."""
    rows = session.rows(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped"
        " AND a.attgenerated = '' AND a.attidentity <> 'a'",
        [schema],
    )
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        tables.setdefault(table, {})[column] = kind
    return tables


def effective(spec: TableSpec, columns: dict[str, str]) -> TableSpec:
    """The declaration with the live table's further columns added to its target."""
    further = {name: kind for name, kind in columns.items() if name not in spec.target.columns}
    if not further:
        return spec
    table: Table = spec.target.to_metadata(MetaData(schema=spec.target.schema))
    for name, kind in further.items():
        table.append_column(_column(name, kind))
    return replace(spec, target=table)


def without_absent(spec: TableSpec, absent: Mapping[str, frozenset[str]]) -> TableSpec:
    """The declaration with these columns of its legacy tables read as NULL."""
    if not any(isinstance(source, Source) and source.name in absent for source in spec.sources):
        return spec
    sources = [
        replace(source, absent=absent.get(source.name, source.absent)) if isinstance(source, Source) else source
        for source in spec.sources
    ]
    return replace(spec, sources=tuple(sources))


def _column(name: str, kind: str) -> Column[Any]:
    """Values come as text and are cast by the server, which knows all types; JSON keeps its own, as its secrets are hidden."""
    types: dict[str, TypeEngine[Any]] = {"jsonb": pg.JSONB(), "json": pg.JSON()}
    info: dict[str, object] = {"optional": True, "secret": bool(SECRET_KEY.search(name))}
    return Column(name, types.get(kind, Text()), info=info if kind == "text" else {**info, "cast": kind})
