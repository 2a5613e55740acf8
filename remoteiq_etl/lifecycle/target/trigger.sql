-- name: tables_with_trigger
-- The tables on which the schema's own set_updated_at runs before each update (tgtype: 1 row, 2 before, 16 update).
SELECT DISTINCT c.relname
FROM pg_catalog.pg_trigger AS t
JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid AND p.pronamespace = n.oid
WHERE n.nspname = %(schema)s AND p.proname = 'set_updated_at'
  AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgtype & 19 = 19


-- name: trigger_function
SELECT p.prosrc, pg_catalog.pg_get_functiondef(p.oid)
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = %(schema)s AND p.proname = 'set_updated_at' AND p.pronargs = 0 AND p.prokind = 'f'
