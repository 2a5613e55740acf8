-- A merged role leads to a live one of its name, and no two live roles have one name.
-- reads: roles(id, name)
WITH named AS (
    SELECT m.legacy_key::text AS key, m.new_key, m.state, pg_temp.normalised(r.name) AS name
    FROM map_roles AS m
    JOIN legacy_roles AS r ON r.id::text = m.legacy_key::text
    WHERE m.legacy_table = 'roles' AND m.state IN ('live', 'merged')
)

SELECT 'roles' AS table_name, m.key, 'merged, but no live role of its name has its new key: name' AS finding
FROM named AS m
WHERE
    m.state = 'merged'
    AND NOT EXISTS (SELECT FROM named AS w WHERE w.state = 'live' AND w.new_key = m.new_key AND w.name = m.name)
UNION ALL
SELECT 'roles', a.key, 'another live role has the same name: name'
FROM named AS a
JOIN named AS b ON b.name = a.name AND b.key < a.key
WHERE a.state = 'live' AND b.state = 'live'
