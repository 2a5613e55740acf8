-- Sequences that belong to a column of a schema, with what they gave last: the next value must not be one that is there.
SELECT c.relname::text AS table_name, a.attname::text AS column_name, s.schemaname, s.sequencename, s.last_value
FROM pg_depend AS d
JOIN pg_class AS q ON q.oid = d.objid AND q.relkind = 'S'
JOIN pg_namespace AS n ON n.oid = q.relnamespace
JOIN pg_sequences AS s ON s.schemaname = n.nspname AND s.sequencename = q.relname
JOIN pg_class AS c ON c.oid = d.refobjid
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    AND c.relnamespace = to_regnamespace(%(schema)s::text)
    AND (%(table)s::text IS NULL OR c.relname = %(table)s)
    AND CASE WHEN q.relkind = 'S' THEN has_sequence_privilege(q.oid, 'SELECT') ELSE false END AND has_table_privilege(c.oid, 'SELECT')
ORDER BY 1, 2
