-- name: labels
-- One row per label of the enum type of each column of a schema's tables.
SELECT c.relname::text, a.attname::text, e.enumlabel::text
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_enum AS e ON e.enumtypid = a.atttypid
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
