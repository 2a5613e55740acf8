-- name: unused_types
-- The enum types of these names that no column uses any more.
SELECT t.typname
FROM pg_catalog.pg_type AS t
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
WHERE n.nspname = %(schema)s AND t.typtype = 'e' AND t.typname = ANY (%(names)s)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.atttypid IN (t.oid, t.typarray) AND NOT a.attisdropped)
ORDER BY t.typname


-- name: function
SELECT definition FROM {replaced_functions} WHERE schema_name = %(schema)s AND name = 'set_updated_at'
