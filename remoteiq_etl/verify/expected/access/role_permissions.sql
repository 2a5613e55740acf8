-- The union of both tables, where role_grants is role_meta_first what role_meta says where it says anything. A grant dates from
-- the legacy role that holds it; of equal grants a row of role_permissions stands, then the one of the oldest role.
-- covers: role_permissions, derived
-- reads: roles, role_meta, permissions(id, key), role_permissions
-- not compared: granted_by: nobody was recorded in legacy
WITH roles_of_legacy AS (
    SELECT
        r.id,
        r.name,
        r.created_at,
        pg_temp.normalised(r.name) AS word,
        m.new_key AS role_id,
        coalesce(meta.updated_at, r.created_at) AS granted_at
    FROM legacy_roles AS r
    LEFT JOIN legacy_role_meta AS meta ON meta.role_name = r.name
    LEFT JOIN map_roles AS m ON m.legacy_table = 'roles' AND m.legacy_key::text = r.id::text AND m.state IN ('live', 'merged')
),

said AS (
    SELECT DISTINCT r.id AS legacy_role, pg_temp.lowered(w.key) AS permission_key
    FROM roles_of_legacy AS r
    JOIN legacy_role_meta AS meta ON meta.role_name = r.name
    CROSS JOIN LATERAL unnest(meta.permissions) AS w (key)
    WHERE pg_temp.lowered(w.key) IS NOT NULL
),

held AS (
    SELECT
        'role_permissions' AS _legacy_table,
        '["' || g.role_id::text || '","' || g.permission_id::text || '"]' AS _legacy_key,
        1 AS rank,
        g.role_id AS legacy_role,
        pg_temp.lowered(p.key) AS permission_key
    FROM legacy_role_permissions AS g
    LEFT JOIN legacy_permissions AS p ON p.id = g.permission_id
    WHERE p.id IS NULL OR pg_temp.lowered(p.key) IS NOT NULL
    UNION ALL
    SELECT
        'derived',
        '[' || to_json(r.word)::text || ',' || to_json(s.permission_key)::text || ']',
        2,
        s.legacy_role,
        s.permission_key
    FROM said AS s
    JOIN roles_of_legacy AS r ON r.id = s.legacy_role
    WHERE r.word IS NOT NULL -- a role without a name is none
),

counting AS (
    SELECT h.*, r.role_id, r.granted_at, r.created_at, r.id AS role_there
    FROM held AS h
    LEFT JOIN roles_of_legacy AS r ON r.id = h.legacy_role
    WHERE
        h.rank = 2
        OR NOT EXISTS (SELECT FROM run_option WHERE name = 'role_grants' AND value = '"role_meta_first"')
        OR (h.legacy_role, h.permission_key) IN (SELECT legacy_role, permission_key FROM said)
        OR h.legacy_role NOT IN (SELECT legacy_role FROM said)
),

-- A grant of a role or a permission that is not there is one of its own: it waits.
ranked AS (
    SELECT
        c.*,
        row_number() OVER (
            PARTITION BY
                c.role_id,
                c.permission_key,
                CASE WHEN c.role_id IS NULL OR c.permission_key IS NULL THEN c._legacy_key END
            ORDER BY c.rank, m.state = 'merged', c.created_at, c.role_there, c._legacy_key COLLATE "C"
        ) AS place
    FROM counting AS c
    LEFT JOIN map_role_permissions AS m ON m.legacy_table = c._legacy_table AND m.legacy_key::text = c._legacy_key
)

SELECT
    c._legacy_table,
    c._legacy_key,
    c.role_id,
    c.permission_key,
    c.granted_at
FROM ranked AS c
WHERE
    c.place = 1
    -- A role that was in the target before us keeps its own grants.
    AND NOT EXISTS (SELECT FROM map_roles AS a WHERE a.adopted AND a.new_key::text = c.role_id::text)
