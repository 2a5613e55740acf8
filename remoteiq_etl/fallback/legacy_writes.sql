-- name: columns
-- The columns of a legacy table that can be written, with their types, and what stands in where one must not be null.
SELECT
    a.attname::text,
    a.atttypid::regtype::text,
    CASE
        WHEN a.attnotnull AND d.adbin IS NOT NULL THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid)
        -- A text that legacy needs and nobody has given is empty.
        WHEN a.attnotnull AND a.atttypid = 'text'::regtype THEN $$''$$
    END
FROM pg_catalog.pg_attribute AS a
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %(table)s::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attnum


-- name: sequences
-- The sequences by which columns of a table are numbered: identities, serial columns, and defaults that name one.
SELECT a.attname::text, s.sequence::regclass::text
FROM pg_catalog.pg_attribute AS a
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
CROSS JOIN LATERAL (
    SELECT coalesce(
        pg_catalog.pg_get_serial_sequence(%(table)s, a.attname),
        substring(pg_catalog.pg_get_expr(d.adbin, d.adrelid) FROM $$^nextval\('(.+)'::regclass\)$$)
    ) AS sequence
) AS s
WHERE a.attrelid = %(table)s::regclass AND a.attnum > 0 AND NOT a.attisdropped AND s.sequence IS NOT NULL


-- name: beyond
-- The next number is above those that were given. Others are legacy's own affair: it may have some that it never numbered by this.
SELECT pg_catalog.setval({sequence}::regclass, %(highest)s)
FROM {sequence_name} AS s
WHERE %(highest)s > s.last_value OR %(highest)s = s.last_value AND NOT s.is_called


-- name: insert
INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
SELECT {values}
FROM jsonb_array_elements(%(rows)s) AS r (row)
RETURNING {key}, xmin::text::bigint


-- name: update
UPDATE {table} AS l
SET {assignments}
FROM jsonb_array_elements(%(rows)s) AS r (row)
WHERE {same} AND {unchanged}
RETURNING {key}, l.xmin::text::bigint


-- name: delete
DELETE FROM {table} AS l
USING jsonb_array_elements(%(rows)s) AS r (row)
WHERE {same} AND {unchanged}
RETURNING {key}, l.xmin::text::bigint
