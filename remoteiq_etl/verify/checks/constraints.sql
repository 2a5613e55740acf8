-- name: constraints_there
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


-- name: duplicates
-- Rows that share with another one what must be unique.
SELECT {key} AS key, false AS parent_deleted
FROM {target} AS t
JOIN (
    SELECT {columns}
    FROM {target}
    WHERE {is_set}
    GROUP BY {columns}
    HAVING count(*) > 1
) AS d USING ({columns})
LIMIT {most}


-- name: nulls
-- Rows without a value that every row must have.
SELECT {key} AS key, false AS parent_deleted
FROM {target} AS t
WHERE {column} IS NULL
LIMIT {most}


-- name: orphans
-- Rows that refer to a row which is not there, and whether that one was there and somebody deleted it in the target.
SELECT {key} AS key, {parent_deleted} AS parent_deleted
FROM {target} AS t
WHERE {is_set} AND NOT EXISTS (SELECT FROM {parent} AS p WHERE {same})
LIMIT {most}


-- name: parent_deleted
EXISTS (SELECT FROM {map} AS m WHERE m.new_key::text = t.{column}::text AND m.state IN ('live', 'deleted'))


-- name: sequences
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
