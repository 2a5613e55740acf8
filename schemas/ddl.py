"""The table definitions as DDL: lists of SQL statements, in an order in which they can be executed.

Belongs here: CREATE and ALTER statements for a schema of a given real name, valid on PostgreSQL 13 to 18. Does not
belong here: executing them, and deciding which are needed (`remoteiq_etl.lifecycle`). Every function is pure.

Types of extensions (citext) are written without a schema: the search_path of the executing connection covers it.
"""

from collections.abc import Iterable
from importlib.resources import files

from psycopg import sql
from sqlalchemy import ForeignKeyConstraint, MetaData, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ENUM, CreateEnumType
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable, ExecutableDDLElement

EXTENSIONS = ("pgcrypto", "citext")

PRESERVE_SETTING = "remoteiq_etl.preserve_updated_at"
"""While it is `on` in a transaction, our `set_updated_at` keeps the `updated_at` that an UPDATE gives."""

TABLES_WITHOUT_TRIGGER = frozenset({"organizations"})
"""Tables that have `updated_at` and that the new application creates without the trigger nevertheless."""

# A percent sign is not doubled in the named style, and statements without parameters want none doubled.
_DIALECT = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]


def extension_ddl() -> list[str]:
    """Return the statements that install what the types and defaults of both schemas need."""
    return [f"CREATE EXTENSION IF NOT EXISTS {name}" for name in EXTENSIONS]


def schema_ddl(schema: str) -> list[str]:
    """Return the statement that creates the schema unless it exists."""
    return [_render("CREATE SCHEMA IF NOT EXISTS {schema}", schema)]


def enums_of(metadata: MetaData) -> list[ENUM]:
    """Return the enum types of the metadata, by name."""
    return sorted(metadata.get_schema_objects(ENUM), key=lambda enum: str(enum.name))


def enum_ddl(enum: ENUM, schema: str) -> list[str]:
    """Return the statement that creates one enum type; it fails when the type exists."""
    return [_compile(CreateEnumType(enum), enum.schema, schema)]


def create_enums(metadata: MetaData, schema: str) -> list[str]:
    """Return the statements that create every enum type of the metadata."""
    return [statement for enum in enums_of(metadata) for statement in enum_ddl(enum, schema)]


def table_ddl(table: Table, schema: str, *, foreign_keys: bool, indexes: bool) -> list[str]:
    """Return the statements that create one table with its keys, uniques and checks.

    Foreign keys and indexes come with it on demand; a foreign key needs the table it refers to.
    """
    included: list[ForeignKeyConstraint] | None = None if foreign_keys else []
    create = CreateTable(table, include_foreign_key_constraints=included)
    return [_compile(create, table.schema, schema), *(index_ddl(table, schema) if indexes else [])]


def create_tables(metadata: MetaData, schema: str, *, foreign_keys: bool, indexes: bool) -> list[str]:
    """Return the statements that create every table, parents first. The enum types must exist."""
    return _each(
        table_ddl(table, schema, foreign_keys=foreign_keys, indexes=indexes) for table in metadata.sorted_tables
    )


def foreign_keys_of(table: Table) -> list[ForeignKeyConstraint]:
    """Return the foreign keys of one table, by name."""
    return sorted(table.foreign_key_constraints, key=lambda constraint: str(constraint.name))


def foreign_key_ddl(table: Table, schema: str, *, not_valid: bool) -> list[str]:
    """Return the statements that add the foreign keys of one table, on demand without looking at present rows."""
    suffix = " NOT VALID" if not_valid else ""
    return [
        _compile(AddConstraint(constraint, isolate_from_table=False), table.schema, schema) + suffix
        for constraint in foreign_keys_of(table)
    ]


def validate_ddl(table: Table, schema: str) -> list[str]:
    """Return the statements that check the present rows of one table against its foreign keys."""
    pattern = "ALTER TABLE {schema}.{table} VALIDATE CONSTRAINT {name}"
    return [
        _render(pattern, schema, table=table.name, name=str(constraint.name)) for constraint in foreign_keys_of(table)
    ]


def index_ddl(table: Table, schema: str) -> list[str]:
    """Return the statements that create the indexes of one table that no key or unique constraint brings."""
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    return [_compile(CreateIndex(index), table.schema, schema) for index in indexes]


def has_trigger(table: Table) -> bool:
    """Tell whether the new application puts `set_updated_at` on the table."""
    return "updated_at" in table.columns and table.name not in TABLES_WITHOUT_TRIGGER


def trigger_ddl(table: Table, schema: str) -> list[str]:
    """Return the statement that sets `updated_at` at every update of one table; none where the application has none."""
    if not has_trigger(table):
        return []
    pattern = (
        "CREATE TRIGGER {name} BEFORE UPDATE ON {schema}.{table}"
        " FOR EACH ROW EXECUTE FUNCTION {schema}.set_updated_at()"
    )
    return [_render(pattern, schema, table=table.name, name=f"trg_{table.name}_set_updated_at")]


def set_updated_at_ddl(schema: str) -> list[str]:
    """Return our trigger function, which keeps a given `updated_at` while `PRESERVE_SETTING` is on."""
    return [_render(_read("set_updated_at.sql"), schema)]


def _compile(element: ExecutableDDLElement, token: str | None, schema: str) -> str:
    """Return one statement with the metadata's schema token replaced by the real name, quoted where needed."""
    compiled = element.compile(dialect=_DIALECT, schema_translate_map={token: schema}, render_schema_translate=True)
    return str(compiled).strip()


def _render(pattern: str, schema: str, **identifiers: str) -> str:
    """Return the pattern with quoted identifiers in place of the names in braces."""
    quoted = {name: sql.Identifier(value) for name, value in {"schema": schema, **identifiers}.items()}
    return sql.SQL(pattern).format(**quoted).as_string(None)


def _read(name: str) -> str:
    return files("schemas").joinpath("sql", name).read_text(encoding="utf-8").strip()


def _each(lists: Iterable[list[str]]) -> list[str]:
    return [statement for statements in lists for statement in statements]
