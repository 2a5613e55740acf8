-- No user has by our links and our grants a permission that no legacy role of that name gave.
-- reads: users(id, role), roles(id, name), role_meta(role_name, permissions), permissions(id, key), role_permissions
WITH allowed AS (
    SELECT pg_temp.normalised(r.name) AS word, pg_temp.lowered(p.key) AS permission_key
    FROM legacy_roles AS r
    JOIN legacy_role_permissions AS g ON g.role_id = r.id
    JOIN legacy_permissions AS p ON p.id = g.permission_id
    UNION
    SELECT pg_temp.normalised(meta.role_name), pg_temp.lowered(w.key)
    FROM legacy_role_meta AS meta
    CROSS JOIN LATERAL unnest(meta.permissions) AS w (key)
),

words AS (
    SELECT role, pg_temp.normalised(role) AS word
    FROM (SELECT DISTINCT role FROM legacy_users) AS spelled
),

-- A link or a grant that somebody gave in the new application is none of ours.
links AS (
    SELECT t.user_id, t.role_id
    FROM map_user_roles AS m
    JOIN user_roles AS t ON t.user_id::text = m.new_key::jsonb ->> 0 AND t.role_id::text = m.new_key::jsonb ->> 1
    WHERE m.state = 'live' AND NOT m.adopted
),

grants AS (
    SELECT t.role_id, t.permission_key
    FROM map_role_permissions AS m
    JOIN role_permissions AS t ON t.role_id::text = m.new_key::jsonb ->> 0 AND t.permission_key = m.new_key::jsonb ->> 1
    WHERE m.state = 'live' AND NOT m.adopted
)

SELECT DISTINCT
    'user_roles' AS table_name,
    '[' || to_json(l.user_id::text)::text || ',' || to_json(l.role_id::text)::text || ']' AS key,
    'it gives the user a permission that legacy did not: ' || g.permission_key AS finding
FROM links AS l
JOIN grants AS g ON g.role_id = l.role_id
JOIN map_users AS m ON m.new_key::text = l.user_id::text AND m.state = 'live' AND NOT m.adopted
JOIN legacy_users AS u ON u.id::text = m.legacy_key::text
JOIN words AS w ON w.role IS NOT DISTINCT FROM u.role
WHERE NOT EXISTS (SELECT FROM allowed AS a WHERE a.word = w.word AND a.permission_key = g.permission_key)
