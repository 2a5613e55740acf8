-- The types of the two keys of each map.
SELECT c.relname, a.attname, pg_catalog.format_type(a.atttypid, NULL)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
WHERE n.nspname = %(schema)s AND c.relkind = 'r' AND a.attname IN ('legacy_key', 'new_key')
