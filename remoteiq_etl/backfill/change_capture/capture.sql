-- name: released_since
-- Rows of these legacy tables that waited when an asset was last completed, and were released since.
SELECT w.legacy_table, array_agg(DISTINCT w.legacy_key)
FROM (
    SELECT legacy_table, legacy_key, released_run FROM {quarantine}
    WHERE source_id = %(source_id)s AND legacy_table = ANY (%(tables)s)
    UNION ALL
    SELECT legacy_table, legacy_key, released_run FROM {held}
    WHERE source_id = %(source_id)s AND legacy_table = ANY (%(tables)s)
) AS w
WHERE w.released_run > %(run)s
GROUP BY w.legacy_table
