-- The keys, uniques and foreign keys of a live table that the server itself enforces, by kind and columns.
SELECT
    CASE i.indisprimary OR i.indisunique WHEN true THEN 'unique' END AS kind,
    (
        SELECT array_agg(a.attname::text ORDER BY a.attname::text)
        FROM pg_attribute AS a
        WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])
    ) AS columns
FROM pg_index AS i
WHERE i.indrelid = format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass AND i.indisunique AND i.indisvalid
    AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
UNION ALL
SELECT
    'foreign key',
    (
        SELECT array_agg(a.attname::text ORDER BY a.attname::text)
        FROM pg_attribute AS a
        WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
    )
FROM pg_constraint AS k
WHERE k.conrelid = format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass AND k.contype = 'f' AND k.convalidated
UNION ALL
SELECT 'not null', ARRAY[a.attname::text]
FROM pg_attribute AS a
WHERE a.attrelid = format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass AND a.attnum > 0 AND a.attnotnull
    AND NOT a.attisdropped
