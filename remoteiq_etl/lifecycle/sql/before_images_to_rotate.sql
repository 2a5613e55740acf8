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
