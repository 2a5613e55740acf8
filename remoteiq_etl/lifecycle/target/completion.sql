-- name: nullable
-- Columns of these tables that may be null, of all that may not by our definition (table.column).
SELECT c.relname, a.attname
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname || '.' || a.attname = ANY (%(columns)s) AND NOT a.attnotnull AND NOT a.attisdropped
ORDER BY 1, 2


-- name: sequences
-- The sequences that belong to columns of a schema's tables, identities among them.
SELECT s.relname, c.relname, a.attname, q.seqincrement > 0
FROM pg_catalog.pg_class AS s
JOIN pg_catalog.pg_sequence AS q ON q.seqrelid = s.oid
JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = s.oid
    AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
JOIN pg_catalog.pg_class AS c ON c.oid = d.refobjid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p') AND a.atttypid IN (20, 21, 23)
ORDER BY 1


-- name: behind
-- The highest value of a column, where its sequence would give one that is there; null where it would not.
SELECT m.highest
FROM (SELECT max({column})::bigint AS highest FROM {table}) AS m
CROSS JOIN {sequence} AS s
WHERE m.highest >= s.last_value + CASE WHEN s.is_called THEN 1 ELSE 0 END


-- name: grown
-- The tables of a schema that are larger now, by their pages, than when the server last looked at them: half as large again, and
-- more than a few pages.
SELECT c.relname
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind = 'r'
  AND pg_catalog.pg_relation_size(c.oid) > 32 * 8192
  AND pg_catalog.pg_relation_size(c.oid) > 1.5 * c.relpages * 8192
ORDER BY 1
