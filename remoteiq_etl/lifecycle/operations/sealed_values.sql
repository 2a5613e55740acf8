-- name: archived_values
-- The values of one legacy row in the archive.
SELECT a."column" AS name, a.value::text AS clear, a.sealed, a.withheld, ARRAY[a.legacy_table, a.legacy_key] AS place
FROM {legacy_archive} AS a
WHERE a.source_id = %(source_id)s AND a.legacy_table = %(table)s AND a.legacy_key = %(key)s
  AND (%(column)s::text IS NULL OR a."column" = %(column)s)
ORDER BY a."column"


-- name: before_images_rotate
UPDATE {before_images} AS b
SET sealed = v.sealed, key_id = %(key_id)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (id bigint, sealed jsonb)
WHERE b.id = v.id


-- name: before_images_to_rotate
SELECT
    jsonb_build_object('id', b.id) AS at,
    s.name AS source,
    ARRAY[b.id::text, b.table_name, b.new_key] AS place,
    b.sealed
FROM {before_images} AS b
JOIN {sources} AS s ON s.id = b.source_id
WHERE b.id > %(id)s AND b.key_id <> %(key_id)s
ORDER BY b.id
LIMIT %(limit)s
FOR UPDATE OF b


-- name: image_values
-- What the before images of one target row leave out, the oldest image first.
SELECT
    h.name,
    NULL::text AS clear,
    b.sealed ->> h.name AS sealed,
    coalesce(h.name = ANY (b.withheld), false) AS withheld,
    ARRAY[b.id::text, b.table_name, b.new_key] AS place
FROM {before_images} AS b
CROSS JOIN LATERAL (
    SELECT jsonb_object_keys(coalesce(b.sealed, '{{}}')) AS name UNION SELECT unnest(b.withheld)
) AS h
WHERE b.source_id = %(source_id)s AND b.table_name = %(table)s AND b.new_key = %(key)s
  AND (%(column)s::text IS NULL OR h.name = %(column)s)
ORDER BY b.id, h.name


-- name: legacy_archive_rotate
UPDATE {legacy_archive} AS a
SET sealed = v.sealed ->> a."column", key_id = %(key_id)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (source_id smallint, legacy_table text, legacy_key text, "column" text, sealed jsonb)
WHERE (a.source_id, a.legacy_table, a.legacy_key, a."column") = (v.source_id, v.legacy_table, v.legacy_key, v."column")


-- name: legacy_archive_to_rotate
SELECT
    jsonb_build_object('source_id', a.source_id, 'legacy_table', a.legacy_table, 'legacy_key', a.legacy_key, 'column', a."column") AS at,
    s.name AS source,
    ARRAY[a.legacy_table, a.legacy_key] AS place,
    jsonb_build_object(a."column", a.sealed) AS sealed
FROM {legacy_archive} AS a
JOIN {sources} AS s ON s.id = a.source_id
WHERE (a.source_id, a.legacy_table, a.legacy_key, a."column") > (%(source_id)s, %(legacy_table)s, %(legacy_key)s, %(column)s)
    AND a.key_id <> %(key_id)s
ORDER BY a.source_id, a.legacy_table, a.legacy_key, a."column"
LIMIT %(limit)s
FOR UPDATE OF a


-- name: sealed_keys
-- How many rows are sealed under which key.
SELECT k.key_id, count(*)
FROM (
    SELECT key_id FROM {legacy_archive} WHERE key_id IS NOT NULL
    UNION ALL
    SELECT key_id FROM {before_images} WHERE key_id IS NOT NULL
) AS k
GROUP BY k.key_id
ORDER BY k.key_id
