-- The role of legacy of that name, else the one made of the word; never one that was seeded. A blank word links nobody.
-- reads: users(id, role, created_at, updated_at, last_seen, password_updated_at), roles(id, name)
-- each row: users
-- not compared: assigned_by: no legacy source
WITH words AS (
    SELECT role, pg_temp.normalised(role) AS word
    FROM (SELECT DISTINCT role FROM legacy_users) AS spelled
),

named AS (
    SELECT DISTINCT pg_temp.normalised(r.name) AS word, m.new_key
    FROM legacy_roles AS r
    JOIN map_roles AS m ON m.legacy_table = 'roles' AND m.legacy_key::text = r.id::text AND m.state IN ('live', 'merged')
),

linked AS (
    SELECT w.role, w.word, coalesce(n.new_key, made.new_key) AS role_id
    FROM words AS w
    LEFT JOIN named AS n ON n.word = w.word
    LEFT JOIN map_roles AS made
        ON made.legacy_table = 'users.role' AND made.legacy_key::text = w.word AND made.state IN ('live', 'merged')
    WHERE w.word IS NOT NULL
)

SELECT
    'users' AS _legacy_table,
    u.id AS _legacy_key,
    m.new_key AS user_id,
    l.role_id,
    coalesce(u.created_at, least(u.updated_at, u.last_seen, u.password_updated_at)) AS assigned_at
FROM legacy_users AS u
JOIN linked AS l ON l.role = u.role
LEFT JOIN map_users AS m ON m.legacy_table = 'users' AND m.legacy_key::text = u.id::text
WHERE m.adopted IS NOT TRUE -- an account that was in the target before us gets none
