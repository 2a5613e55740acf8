"""What refers to a target table: the foreign keys of the live database, those that ours lacks until finalize, and columns of
others that name its rows without one.

Belongs here: that list. Does not belong here: what follows from a reference (see deletion).
"""

import re
from dataclasses import dataclass

from psycopg import sql
from sqlalchemy import Table

from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.target_access import TargetAccess
from schemas import ddl

SQL = statements(__file__)


@dataclass(frozen=True)
class Reference:
    """One foreign key, or a column that names our rows without one: `columns` of a table refer to `parents` of ours.

    `key`: that table's primary key, if it has one. `sets_null`: the database only takes the reference out of a row when what
    it refers to is deleted. `readable`: every row of that table can be seen. `as_text`: both have other types than each other.
    """

    schema: str
    table: str
    columns: tuple[str, ...]
    parents: tuple[str, ...]
    key: tuple[str, ...]
    sets_null: bool = False
    readable: bool = True
    as_text: bool = False

    def pairs(self, child: str = "c", row: str = "t") -> sql.Composable:
        """The condition under which a row of that table (child) refers to a row of ours."""
        pair = sql.SQL("{}::text = {}::text" if self.as_text else "{} = {}")
        return sql.SQL(" AND ").join(
            pair.format(sql.Identifier(child, column), sql.Identifier(row, parent))
            for column, parent in zip(self.columns, self.parents, strict=True)
        )

    def shown_key(self) -> sql.Composable:
        """The key of a row of that table (c) as text."""
        if not self.key:
            return sql.SQL("'(a row without a key)'::text")  # ORDER BY takes no plain constant
        names = sql.SQL(", ").join(sql.Identifier("c", name) for name in self.key)
        return sql.SQL("concat_ws(', ', {})").format(names)

    def named_from(self, schema: str) -> str:
        """The table's name, with its schema where that is not this one."""
        return self.table if self.schema == schema else f"{self.schema}.{self.table}"


def references_to(run: TargetAccess, spec: TableSpec) -> list[Reference]:
    """Every foreign key that refers to a table."""
    query = SQL["references"].as_string(None)
    rows = run.session.rows(query, [run.target.schema, spec.name])
    live = [
        Reference(schema, table, tuple(columns), tuple(parents), tuple(key), sets_null, readable)
        for schema, table, columns, parents, key, sets_null, readable in rows
    ]
    known = {(found.schema, found.table, found.columns) for found in live}
    return [*live, *(one for one in _declared(run, spec) if (one.schema, one.table, one.columns) not in known)]


def named_without_constraint(run: TargetAccess, spec: TableSpec) -> list[Reference]:
    """Columns of the target's schema that are not of the redesign, and by name and type hold keys of a table.

    The new application refers to some rows without a foreign key. A column is found by the name of the table in the singular
    (ticket_id, linked_ticket_id), or of its last word (policy_id of backup_policies).
    """
    table = run.spec(spec.asset).target
    names = _names_of_keys(table)
    if not names:
        return []
    own = [f"{one.name}.{column.name}" for one in table.metadata.sorted_tables for column in one.columns]
    (parent,) = spec.primary_key
    rows = run.session.rows(
        SQL["without_constraint"].as_string(None),
        {"schema": run.target.schema, "table": spec.name, "parent": parent, "names": names, "own": own},
    )
    return [
        Reference(run.target.schema, name, (column,), (parent,), tuple(key), readable=readable, as_text=as_text)
        for name, column, key, readable, as_text in rows
    ]


def _names_of_keys(table: Table) -> list[str]:
    """What a column that holds keys of a table may be called; empty where rows have no key of their own."""
    keys = list(table.primary_key.columns)
    if len(keys) != 1 or keys[0].foreign_keys:
        return []
    if keys[0].name != "id":
        return [keys[0].name]
    singular = re.sub("s$", "", re.sub("ies$", "y", table.name))
    return sorted({f"{singular}_id", f"{singular.rpartition('_')[2]}_id"})


def _declared(run: TargetAccess, spec: TableSpec) -> list[Reference]:
    """The foreign keys of our own definition, of tables that the target has."""
    name = run.spec(spec.asset).target.fullname
    return [
        Reference(
            run.target.schema,
            child.name,
            tuple(element.parent.name for element in key.elements),
            tuple(element.column.name for element in key.elements),
            tuple(column.name for column in child.primary_key.columns),
        )
        for child in run.spec(spec.asset).target.metadata.sorted_tables
        if run.has_target(child.name)
        for key in ddl.foreign_keys_of(child)
        if key.referred_table.fullname == name
    ]
