SELECT
    u.id AS user_id,
    u.email::text AS email,
    nullif(btrim(concat_ws(' ', u.first_name, u.last_name)), '') AS name,
    u.status::text AS user_status,
    r.id AS role_id,
    r.name AS role,
    r.scope::text AS scope,
    p.permission_key,
    p.group_label AS permission_group,
    p.label AS permission,
    l.assigned_at,
    g.granted_at
FROM {schema}.users AS u
JOIN {schema}.user_roles AS l ON l.user_id = u.id
JOIN {schema}.roles AS r ON r.id = l.role_id
JOIN {schema}.role_permissions AS g ON g.role_id = r.id
JOIN {schema}.permissions AS p ON p.permission_key = g.permission_key
