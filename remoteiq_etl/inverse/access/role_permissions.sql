-- Grants by the legacy ids of role and permission, which the map has; equal ones, and those of a blank key, too.
-- exact: role_id, permission_id
SELECT (m.legacy_key::jsonb ->> 0)::uuid AS role_id, (m.legacy_key::jsonb ->> 1)::uuid AS permission_id
FROM {state}.legacy_role_permissions_map AS m
WHERE
    m.source_id = {source}
    AND m.legacy_table = 'role_permissions'
    AND m.state IN ('live', 'merged')
    AND EXISTS (
        SELECT
        FROM {target}.role_permissions AS t
        WHERE t.role_id = (m.new_key::jsonb ->> 0)::uuid AND t.permission_key = m.new_key::jsonb ->> 1
    )
UNION ALL
SELECT (l.legacy_key::jsonb ->> 0)::uuid, (l.legacy_key::jsonb ->> 1)::uuid
FROM {state}.left_out AS l
WHERE
    l.source_id = {source}
    AND l.table_name = 'role_permissions'
    AND l.legacy_table = 'role_permissions'
    AND l.rule = 'blank_key'
UNION ALL
SELECT coalesce(rm.legacy_key::uuid, n.role_id), coalesce(pm.legacy_key::uuid, md5(n.permission_key)::uuid)
FROM {target}.role_permissions AS n
JOIN {target}.roles AS o ON o.id = n.role_id AND o.organization_id = {organization}
LEFT JOIN {state}.legacy_roles_map AS rm
    ON rm.source_id = {source} AND rm.legacy_table = 'roles' AND rm.state = 'live' AND rm.new_key = n.role_id
LEFT JOIN {state}.legacy_permissions_map AS pm
    ON pm.source_id = {source} AND pm.legacy_table = 'permissions' AND pm.state = 'live' AND pm.new_key = n.permission_key
WHERE NOT EXISTS (
    SELECT
    FROM {state}.legacy_role_permissions_map AS m
    WHERE
        m.state = 'live'
        AND m.new_key = '["' || n.role_id::text || '",' || to_json(n.permission_key)::text || ']'
)
