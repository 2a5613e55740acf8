-- How many rows are sealed under which key.
SELECT k.key_id, count(*)
FROM (
    SELECT key_id FROM {legacy_archive} WHERE key_id IS NOT NULL
    UNION ALL
    SELECT key_id FROM {before_images} WHERE key_id IS NOT NULL
) AS k
GROUP BY k.key_id
ORDER BY k.key_id
