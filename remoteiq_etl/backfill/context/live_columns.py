"""A table as live databases have it: the target with the further columns, types and labels found there, the sources without
the columns that they lack.

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

#: What a column of an enum type says of the labels that the redesign does not have.
FURTHER_LABELS = "further_labels"


@dataclass(frozen=True)
class LiveColumn:
    """A column as the catalogue has it; `default` is its expression, `labels` are those of its enum type."""

    kind: str
    nullable: bool = True
    default: str | None = None
    labels: tuple[str, ...] = ()


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
    """Every table of a schema with the columns that can be written."""
    tables: dict[str, dict[str, LiveColumn]] = {}
    for table, column, kind, nullable, default, labels in session.rows(SQL["live_columns"], {"schema": schema}):
        tables.setdefault(table, {})[column] = LiveColumn(kind, nullable, default, tuple(labels))
    return tables


def resolved(spec: TableSpec, columns: Mapping[str, LiveColumn]) -> TableSpec:
    """The declaration with the live table's further columns added to its target, and with the types of its own as they are."""
    further = {name: found for name, found in columns.items() if name not in spec.target.columns}
    other = {
        column.name: kind for column in spec.target.columns if (kind := _other_type(column, columns.get(column.name)))
    }
    if not further and not other:
        return spec
    table = _copied(spec.target, MetaData(schema=spec.target.metadata.schema))
    for name, found in further.items():
        table.append_column(_column(name, found))
    for name, kind in other.items():
        _become(table.columns[name], kind)
    return replace(spec, target=table)


def further_labels(table: Table) -> dict[str, tuple[str, ...]]:
    """The labels that the enum types of a live table have beside the redesign's, by column."""
    return {column.name: column.info[FURTHER_LABELS] for column in table.columns if column.info.get(FURTHER_LABELS)}


def _become(column: Column[Any], kind: TypeEngine[Any]) -> None:
    if isinstance(column.type, pg.ENUM) and isinstance(kind, pg.ENUM):
        known = frozenset(column.type.enums)
        column.info = {**column.info, FURTHER_LABELS: tuple(label for label in kind.enums if label not in known)}
    column.type = kind


def _other_type(column: Column[Any], found: LiveColumn | None) -> TypeEngine[Any] | None:
    """The type of a declared column where the database has another one that a run can fill; None where it has not."""
    if found is None:
        return None
    if found.kind in column.info.get("accepted", ()):
        return Text()
    if not isinstance(column.type, pg.ENUM) or set(found.labels) <= set(column.type.enums):
        return None
    return pg.ENUM(*found.labels, name=column.type.name)


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
