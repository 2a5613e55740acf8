-- One row per check constraint of a schema's tables.
SELECT
    c.relname AS table_name,
    pg_catalog.pg_get_expr(k.conbin, k.conrelid) AS expression,
    k.convalidated AS validated
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND k.contype = 'c' AND NOT c.relispartition
