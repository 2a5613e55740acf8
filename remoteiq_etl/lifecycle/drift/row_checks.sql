-- name: readable_columns
-- One row per column of a schema's tables: whether the connected role may read it, and whether a policy hides rows.
SELECT
    c.relname AS table_name,
    a.attname AS name,
    pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT') AS may_read,
    pg_catalog.row_security_active(c.oid) AS rows_hidden
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition
