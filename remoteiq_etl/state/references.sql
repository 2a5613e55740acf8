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
