-- A merged permission leads to a live one of its key.
-- reads: permissions(id, key)
WITH keyed AS (
    SELECT m.legacy_key::text AS legacy_key, m.new_key, m.state, pg_temp.lowered(p.key) AS key
    FROM map_permissions AS m
    JOIN legacy_permissions AS p ON p.id::text = m.legacy_key::text
    WHERE m.legacy_table = 'permissions' AND m.state IN ('live', 'merged')
)

SELECT 'permissions' AS table_name, m.legacy_key AS key, 'merged, but no live permission has its key: key' AS finding
FROM keyed AS m
WHERE
    m.state = 'merged'
    AND NOT EXISTS (SELECT FROM keyed AS w WHERE w.state = 'live' AND w.new_key = m.new_key AND w.key = m.key)
