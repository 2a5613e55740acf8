-- One row per index of a schema's tables that no constraint brings.
SELECT
    c.relname AS table_name,
    substring(pg_catalog.pg_get_indexdef(i.indexrelid) FROM 'USING (.*)$') AS definition,
    i.indisunique AS is_unique
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND i.indisvalid
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
