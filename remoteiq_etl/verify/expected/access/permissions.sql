-- Legacy permissions. Of equal keys one row stands, as the map says (see rules/access).
-- covers: permissions
-- reads: permissions
-- each row: permissions
-- not compared: description: no legacy source, a row that was a seed or made of a word keeps what it had
-- not compared: updated_at: no legacy source, the default at insert stands
WITH catalogue (key, label) AS (
    VALUES
    ('admin.access', 'Access administration'),
    ('users.read', 'View users'),
    ('users.write', 'Edit users'),
    ('users.delete', 'Delete users'),
    ('users.2fa.reset', 'Reset two-factor authentication'),
    ('users.manage', 'Manage users'),
    ('roles.read', 'View roles'),
    ('roles.write', 'Edit roles'),
    ('roles.delete', 'Delete roles'),
    ('teams.read', 'View teams'),
    ('teams.write', 'Edit teams'),
    ('teams.delete', 'Delete teams'),
    ('billing.read', 'View billing'),
    ('billing.write', 'Edit billing'),
    ('settings.read', 'View settings'),
    ('settings.write', 'Edit settings'),
    ('backups.read', 'View backups'),
    ('backups.run', 'Run backups'),
    ('backups.prune', 'Prune backups'),
    ('backups.manage', 'Manage backups'),
    ('backups.restore', 'Restore backups'),
    ('backups.download', 'Download backups'),
    ('agents.view', 'View agents'),
    ('agents.manage', 'Manage agents'),
    ('checks.view', 'View checks'),
    ('checks.run', 'Run checks'),
    ('checks.manage', 'Manage checks'),
    ('tickets.read', 'View tickets'),
    ('tickets.write', 'Edit tickets'),
    ('customers.read', 'View customers'),
    ('customers.write', 'Edit customers'),
    ('devices.read', 'View devices'),
    ('devices.write', 'Edit devices')
),

cleaned AS (
    SELECT *, pg_temp.lowered(key) AS permission_key
    FROM legacy_permissions
)

SELECT
    'permissions' AS _legacy_table,
    l.id AS _legacy_key,
    l.permission_key,
    CASE
        WHEN pg_temp.lowered(l.label) = l.permission_key THEN coalesce(c.label, l.label)
        ELSE l.label
    END AS label,
    l.group_key,
    l.group_label,
    l.created_at
FROM cleaned AS l
LEFT JOIN catalogue AS c ON c.key = l.permission_key
LEFT JOIN map_permissions AS m ON m.legacy_table = 'permissions' AND m.legacy_key::text = l.id::text
WHERE l.permission_key IS NOT NULL AND m.state IS DISTINCT FROM 'merged'
