-- name: references
-- Every foreign key of the live database that refers to a table, whatever its schema, with its columns in pairs, the
-- primary key of the table that it is of, whether it only sets null, and whether that table can be read as a whole.
SELECT
    n.nspname,
    c.relname,
    ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS f (num, place)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = f.num ORDER BY f.place),
    ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS f (num, place)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = f.num ORDER BY f.place),
    ARRAY(SELECT a.attname::text FROM pg_catalog.pg_constraint AS p CROSS JOIN unnest(p.conkey) WITH ORDINALITY AS f (num, place)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = p.conrelid AND a.attnum = f.num
        WHERE p.conrelid = k.conrelid AND p.contype = 'p' ORDER BY f.place),
    k.confdeltype = 'n',
    has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid)
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class AS r ON r.oid = k.confrelid
JOIN pg_catalog.pg_namespace AS s ON s.oid = r.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND s.nspname = %s AND r.relname = %s
ORDER BY 1, 2, 3


-- name: without_constraint
-- Columns of one of these names, or that end in one, whose type can hold the key of a table; those of the redesign and those with
-- a foreign key are known otherwise. With the primary key of their table, whether it can be read as a whole, and whether the
-- types differ.
SELECT
    c.relname,
    a.attname,
    ARRAY(SELECT o.attname::text FROM pg_catalog.pg_constraint AS p CROSS JOIN unnest(p.conkey) WITH ORDINALITY AS f (num, place)
        JOIN pg_catalog.pg_attribute AS o ON o.attrelid = p.conrelid AND o.attnum = f.num
        WHERE p.conrelid = c.oid AND p.contype = 'p' ORDER BY f.place),
    has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid),
    a.atttypid <> k.atttypid
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_class AS t ON t.relnamespace = n.oid AND t.relname = %(table)s
JOIN pg_catalog.pg_attribute AS k ON k.attrelid = t.oid AND k.attname = %(parent)s
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND (a.atttypid = k.atttypid OR a.atttypid IN ('text'::regtype, 'varchar'::regtype))
    AND EXISTS (SELECT FROM unnest(%(names)s::text[]) AS w (name) WHERE a.attname = w.name OR right(a.attname, length(w.name) + 1) = '_' || w.name)
    AND c.relname || '.' || a.attname <> ALL (%(own)s::text[])
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS f WHERE f.conrelid = c.oid AND f.contype = 'f' AND a.attnum = ANY (f.conkey))
ORDER BY 1, 2
