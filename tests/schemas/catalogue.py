"""Reads the catalogue of a live schema in the form of the fact files: the queries that such files are made with.

Names of indexes and constraints are left out, because nothing may depend on them.
"""

import csv
from collections import Counter
from pathlib import Path

import psycopg
from psycopg import sql

FACTS = Path(__file__).parents[1] / "facts"
Rows = Counter[tuple[str, ...]]

COLUMNS = """
SELECT c.relname, a.attnum::text, a.attname, format_type(a.atttypid, a.atttypmod),
       CASE WHEN a.attnotnull THEN 'no' ELSE 'yes' END,
       CASE WHEN a.attidentity <> '' THEN 'identity' ELSE coalesce(pg_get_expr(d.adbin, d.adrelid), '') END
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r'
"""

CONSTRAINTS = """
SELECT c.relname,
       CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' WHEN 'f' THEN 'foreign key' ELSE 'check' END,
       pg_get_constraintdef(k.oid)
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
WHERE c.relnamespace = %s::regnamespace AND k.contype IN ('p', 'u', 'f', 'c')
"""

INDEXES = """
SELECT c.relname, substring(pg_get_indexdef(i.indexrelid) FROM 'USING (.*)$'),
       CASE WHEN i.indisunique THEN 't' ELSE 'f' END
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
WHERE c.relnamespace = %s::regnamespace
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
"""

ENUMS = """
SELECT t.typname, row_number() OVER (PARTITION BY t.oid ORDER BY e.enumsortorder)::text, e.enumlabel
FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
WHERE t.typnamespace = %s::regnamespace
"""

FILES = {
    "columns": (COLUMNS, ("table_name", "position", "column_name", "type", "nullable", "default_value")),
    "constraints": (CONSTRAINTS, ("table_name", "kind", "definition")),
    "indexes": (INDEXES, ("table_name", "definition", "is_unique")),
    "enums": (ENUMS, ("enum", "position", "label")),
}


def found(connection: psycopg.Connection, schema: str, what: str) -> Rows:
    """Count the rows that the catalogue of the schema gives for one fact file."""
    quoted = sql.Identifier(schema).as_string(connection)
    # The citext extension of the tests lives in public.
    connection.execute("SELECT set_config('search_path', %s || ', public', false)", [quoted])
    rows = connection.execute(FILES[what][0], [quoted]).fetchall()
    return Counter(tuple(_spelling_of_16(cell) for cell in row) for row in rows)


def expected(side: str, what: str) -> Rows:
    """Count the rows of one fact file."""
    with (FACTS / f"{side}-{what}.csv").open(encoding="utf-8", newline="") as file:
        return Counter(tuple(row[name] for name in FILES[what][1]) for row in csv.DictReader(file))


def _spelling_of_16(text: str) -> str:
    """PostgreSQL 13 prints TRIM(BOTH FROM x) as btrim(x)."""
    return text.replace("btrim(two_factor_secret)", "TRIM(BOTH FROM two_factor_secret)")
