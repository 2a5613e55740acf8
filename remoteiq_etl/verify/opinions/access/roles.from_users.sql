-- A role without grants for every word of users.role that no legacy role has; its spelling is read from the map (see rules/access).
-- covers: users.role
-- reads: users(id, role), roles(id, name)
-- not compared: created_at, updated_at: no legacy source, the default at insert stands
WITH words AS (
    SELECT pg_temp.normalised(role) AS word
    FROM (SELECT DISTINCT role FROM legacy_users) AS spelled
    EXCEPT
    SELECT pg_temp.normalised(name) FROM legacy_roles
)

SELECT
    'users.role' AS _legacy_table,
    w.word AS _legacy_key,
    m.new_key AS id,
    s.organization_id,
    'organization' AS scope,
    m.decision ->> 'name' AS name,
    NULL AS description
FROM words AS w
CROSS JOIN source AS s
LEFT JOIN map_roles AS m ON m.legacy_table = 'users.role' AND m.legacy_key::text = w.word AND m.state <> 'decided'
WHERE w.word IS NOT NULL
