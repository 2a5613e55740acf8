-- One row per label of the enum types that lie in a schema or that its tables use, in the order of the type.
SELECT t.typname AS name, e.enumlabel AS label
FROM pg_catalog.pg_enum AS e
JOIN pg_catalog.pg_type AS t ON t.oid = e.enumtypid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
WHERE n.nspname = %(schema)s
   OR EXISTS (
        SELECT FROM pg_catalog.pg_attribute AS a
        JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace AS cn ON cn.oid = c.relnamespace
        WHERE cn.nspname = %(schema)s AND a.atttypid = t.oid AND NOT a.attisdropped
   )
ORDER BY t.typname, e.enumsortorder
