-- The catalogue of permissions, but for keys that legacy has or that were in the target before us.
-- covers: seed
-- reads: permissions(id, key)
-- not compared: description, created_at, updated_at: no legacy source, the default at insert stands
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
)

SELECT
    'seed' AS _legacy_table,
    c.key AS _legacy_key,
    c.key AS permission_key,
    c.label,
    g.key AS group_key,
    upper(left(g.key, 1) COLLATE "C") || substr(g.key, 2) AS group_label
FROM catalogue AS c
CROSS JOIN LATERAL (
    SELECT CASE WHEN c.key = 'admin.access' THEN 'administration' ELSE split_part(c.key, '.', 1) END
) AS g (key)
LEFT JOIN map_permissions AS m ON m.legacy_table = 'seed' AND m.legacy_key::text = c.key
LEFT JOIN target_permissions AS present ON present.permission_key = c.key
WHERE
    c.key NOT IN (SELECT coalesce(pg_temp.lowered(key), '') FROM legacy_permissions)
    AND (m.new_key IS NOT NULL OR present.permission_key IS NULL)
    AND m.state IS DISTINCT FROM 'merged'
