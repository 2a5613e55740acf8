-- The columns of a live table, with the type in which their values are compared.
SELECT
    a.attname AS name,
    CASE
        WHEN t.typtype = 'e' OR t.typname = 'citext' THEN 'text'
        WHEN t.typname = 'json' THEN 'jsonb'
        ELSE format_type(coalesce(nullif(t.typbasetype, 0), a.atttypid), NULL)
    END AS kind
FROM pg_attribute AS a
JOIN pg_type AS t ON t.oid = a.atttypid
WHERE a.attrelid = format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
