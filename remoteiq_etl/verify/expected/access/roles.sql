-- Legacy roles. Of equal names one row stands, as the map says (see rules/access).
-- covers: roles
-- reads: roles, role_meta
-- each row: roles, role_meta by name
SELECT
    'roles' AS _legacy_table,
    l.id AS _legacy_key,
    m.new_key AS id,
    s.organization_id,
    'organization' AS scope,
    l.name,
    coalesce(meta.description, l.description) AS description,
    l.created_at,
    coalesce(meta.updated_at, l.created_at) AS updated_at
FROM legacy_roles AS l
CROSS JOIN source AS s
LEFT JOIN legacy_role_meta AS meta ON meta.role_name = l.name
LEFT JOIN map_roles AS m ON m.legacy_table = 'roles' AND m.legacy_key::text = l.id::text
WHERE m.state IS DISTINCT FROM 'merged'
