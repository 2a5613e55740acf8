-- One row per column of a schema's tables and views. A type of our own or of an extension goes by its bare name,
-- whatever the search_path; a domain goes by the type below it.
SELECT
    c.relname AS table_name,
    a.attname AS name,
    CASE
        WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod)
        WHEN tn.nspname = 'pg_catalog' THEN pg_catalog.format_type(a.atttypid, a.atttypmod)
        WHEN t.typcategory = 'A' THEN e.typname || '[]'
        ELSE t.typname
    END AS type,
    NOT a.attnotnull AS nullable,
    CASE
        WHEN a.attidentity <> '' THEN 'identity'
        WHEN a.attgenerated <> '' THEN 'generated'
        ELSE pg_catalog.pg_get_expr(d.adbin, d.adrelid)
    END AS default_value,
    a.attidentity <> 'a' AND a.attgenerated = '' AS writable
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_type AS e ON e.oid = t.typelem
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT c.relispartition
  AND a.attnum > 0 AND NOT a.attisdropped
