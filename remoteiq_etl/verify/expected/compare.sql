-- name: columns
-- The columns of a live table that can be written, with the type in which their values are compared.
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
    AND a.attgenerated = '' AND a.attidentity <> 'a'
ORDER BY a.attnum


-- name: compare
-- Rows that only the opinion has, rows that only the target has, and rows that both have with different values.
WITH entries AS MATERIALIZED (
    SELECT k.new_key, k.legacy_table, k.legacy_key::text AS legacy_key
    FROM {map} AS k
    WHERE k.state = 'live' AND (%(covers)s::text[] IS NULL OR k.legacy_table = ANY (%(covers)s)) AND {in_range}
),
actual AS NOT MATERIALIZED (
    SELECT {cast} FROM {target} AS t WHERE EXISTS (SELECT FROM entries AS k WHERE {in_map})
),
-- Rows of the same key with the same values are neither missing nor surplus: most are, and a join finds them in a quarter
-- of the time that EXCEPT over all columns of all rows takes.
differing AS MATERIALIZED (
    SELECT {either_key}
    FROM pg_temp.expected AS m
    FULL JOIN actual AS s ON {same}
    WHERE ({expected_values}) IS DISTINCT FROM ({actual_values})
),
missing AS MATERIALIZED (
    SELECT {columns} FROM pg_temp.expected WHERE ({keys}) IN (SELECT {keys} FROM differing)
    EXCEPT
    SELECT {columns} FROM actual WHERE ({keys}) IN (SELECT {keys} FROM differing)
),
surplus AS MATERIALIZED (
    SELECT {columns} FROM actual WHERE ({keys}) IN (SELECT {keys} FROM differing)
    EXCEPT
    SELECT {columns} FROM pg_temp.expected WHERE ({keys}) IN (SELECT {keys} FROM differing)
)
SELECT
    CASE WHEN s.{any_key} IS NULL THEN 'missing' WHEN m.{any_key} IS NULL THEN 'surplus' ELSE 'changed' END AS kind,
    coalesce({missing_key}, {surplus_key}) AS key,
    coalesce(e._legacy_table, k.legacy_table) AS legacy_table,
    coalesce(e._legacy_key, k.legacy_key) AS legacy_key,
    CASE
        WHEN s.{any_key} IS NULL OR m.{any_key} IS NULL THEN ARRAY[]::text[]
        ELSE array_remove(ARRAY[{differing}]::text[], NULL)
    END AS columns
FROM (SELECT * FROM missing WHERE {keyed}) AS m
FULL JOIN surplus AS s ON {same}
LEFT JOIN pg_temp.expected AS e ON {origin}
LEFT JOIN entries AS k ON {surplus_in_map} AND m.{any_key} IS NULL
UNION ALL
SELECT 'missing', NULL, e._legacy_table, e._legacy_key, ARRAY[]::text[]
FROM pg_temp.expected AS e
WHERE NOT {keyed}
ORDER BY 2, 3, 4


-- name: defaults
-- What must be there and has no source in legacy has the default of its insert.
UPDATE pg_temp.expected AS e
SET {filled}
FROM {target} AS t
WHERE {same} AND ({missing})


-- name: key_type
-- The type of the legacy keys of a map.
SELECT format_type(a.atttypid, NULL)
FROM pg_attribute AS a
WHERE a.attrelid = format('pg_temp.%%I', %(map)s::text)::regclass AND a.attname = 'legacy_key'


-- name: required
-- Which of these columns a live table requires.
SELECT a.attname
FROM pg_attribute AS a
WHERE
    a.attrelid = format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass
    AND a.attname = ANY (%(names)s::text[]) AND a.attnotnull AND NOT a.attisdropped
