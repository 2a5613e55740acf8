-- name: newer_rows
-- Rows of a table that are new or changed, with their key; of their values those that name a secret are left out.
SELECT {key}, {redacted}(to_jsonb(l))
FROM {table} AS l
WHERE {newer}
ORDER BY 1


-- name: primary_key
SELECT a.attname::text
FROM pg_catalog.pg_index AS i
CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = %(table)s::regclass AND i.indisprimary
ORDER BY k.place
