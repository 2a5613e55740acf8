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
