-- System roles, none where another role of that name is. One that gives way to a legacy role stays while somebody edited it or
-- has it.
-- covers: seed
-- reads: roles(id, name), users(id, role)
-- not compared: created_at, updated_at: no legacy source, the default at insert stands
WITH system_role (name, description) AS (
    VALUES
    ('Owner', 'Everything'),
    ('Administrator', 'Everything but deleting roles and billing'),
    ('Technician', 'Devices, agents, checks and tickets'),
    ('ReadOnly', 'Looking without changing')
),

taken AS (
    SELECT pg_temp.normalised(name) AS word
    FROM legacy_roles
    UNION
    SELECT pg_temp.normalised(role)
    FROM (SELECT DISTINCT role FROM legacy_users) AS spelled
)

SELECT
    'seed' AS _legacy_table,
    lower(r.name COLLATE "C") AS _legacy_key,
    m.new_key AS id,
    NULL AS organization_id,
    'system' AS scope,
    r.name,
    r.description
FROM system_role AS r
LEFT JOIN map_roles AS m ON m.legacy_table = 'seed' AND m.legacy_key::text = lower(r.name COLLATE "C")
LEFT JOIN target_roles AS given ON given.id::text = m.new_key::text
WHERE CASE
    WHEN lower(r.name COLLATE "C") IN (SELECT word FROM taken)
        THEN
            m.state = 'live'
            AND (
                (given.name, given.description) IS DISTINCT FROM (r.name, r.description)
                OR EXISTS (SELECT FROM user_roles AS l WHERE l.role_id = given.id)
            )
    ELSE m.new_key IS NOT NULL OR NOT EXISTS (SELECT FROM target_roles AS o WHERE pg_temp.normalised(o.name) = lower(r.name COLLATE "C"))
END
