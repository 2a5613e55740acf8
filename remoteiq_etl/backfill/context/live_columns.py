"""A table as live databases have it: the target with the further columns found there, the sources without those that lack.

Transforms fill those of the further columns that the mapping names (the optional ones); all others keep their default.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Column, MetaData, Table, Text, text
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.types import TypeEngine

from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.sensitive.redaction import SECRET_KEY
from remoteiq_etl.spec.table import Source, TableSpec

SQL = statements(__file__)


@dataclass(frozen=True)
class LiveColumn:
    """A column as the catalogue has it; `default` is its expression."""

    kind: str
    nullable: bool = True
    default: str | None = None


class LiveCatalogue:
    """The tables of the target with their columns, read when they are asked for first."""

    def __init__(self, session: Session, schema: str) -> None:
        self.session = session
        self.schema = schema
        self._tables: dict[str, dict[str, LiveColumn]] | None = None

    @property
    def tables(self) -> Mapping[str, Mapping[str, LiveColumn]]:
        """Every table by name."""
        if self._tables is None:
            self._tables = live_columns(self.session, self.schema)
        return self._tables

    def forget(self) -> None:
        """Read it again: tables have just been created."""
        self._tables = None


def live_columns(session: Session, schema: str) -> dict[str, dict[str, LiveColumn]]:
    """Every table of a schema with its columns."""
    tables: dict[str, dict[str, LiveColumn]] = {}
    for table, column, *found in session.rows(SQL["live_columns"], {"schema": schema}):
        tables.setdefault(table, {})[column] = LiveColumn(*found)
    return tables


def resolved(spec: TableSpec, columns: Mapping[str, LiveColumn]) -> TableSpec:
    """The declaration with the live table's further columns added to its target."""
    further = {name: found for name, found in columns.items() if name not in spec.target.columns}
    if not further:
        return spec
    table = _copied(spec.target, MetaData(schema=spec.target.metadata.schema))
    for name, found in further.items():
        table.append_column(_column(name, found))
    return replace(spec, target=table)


def _copied(table: Table, into: MetaData) -> Table:
    """A copy of a table beside copies of those that its foreign keys lead to, from table to table."""
    copy = table.to_metadata(into)
    for key in table.foreign_keys:
        if key.column.table.key not in into.tables:
            _copied(key.column.table, into)
    return copy


def without_absent(spec: TableSpec, absent: Mapping[str, frozenset[str]]) -> TableSpec:
    """The declaration with these columns of its legacy tables read as NULL."""
    if not any(isinstance(source, Source) and source.name in absent for source in spec.sources):
        return spec
    sources = [
        replace(source, absent=absent.get(source.name, source.absent)) if isinstance(source, Source) else source
        for source in spec.sources
    ]
    return replace(spec, sources=tuple(sources))


def _column(name: str, found: LiveColumn) -> Column[Any]:
    """Values come as text and are cast by the server, which knows all types; JSON keeps its own, as its secrets are hidden."""
    types: dict[str, TypeEngine[Any]] = {"jsonb": pg.JSONB(), "json": pg.JSON()}
    info: dict[str, object] = {"optional": True, "secret": bool(SECRET_KEY.search(name))}
    return Column(
        name,
        types.get(found.kind, Text()),
        nullable=found.nullable,
        server_default=None if found.default is None else text(found.default.replace(":", r"\:")),
        info=info if found.kind == "text" else {**info, "cast": found.kind},
    )
