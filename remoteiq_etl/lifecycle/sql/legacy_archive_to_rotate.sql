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
