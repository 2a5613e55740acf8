-- The grants of the system roles that were seeded, as far as their permissions are there.
-- covers: seed
-- not compared: granted_by, granted_at: no legacy source, the default at insert stands
WITH catalogue (key) AS (
    SELECT unnest(string_to_array(
        'admin.access users.read users.write users.delete users.2fa.reset users.manage roles.read roles.write roles.delete'
        ' teams.read teams.write teams.delete billing.read billing.write settings.read settings.write backups.read backups.run'
        ' backups.prune backups.manage backups.restore backups.download agents.view agents.manage checks.view checks.run'
        ' checks.manage tickets.read tickets.write customers.read customers.write devices.read devices.write',
        ' '
    ))
)

SELECT
    'seed' AS _legacy_table,
    '["' || r.legacy_key || '","' || c.key || '"]' AS _legacy_key,
    r.new_key AS role_id,
    c.key AS permission_key
FROM map_roles AS r
CROSS JOIN catalogue AS c
JOIN permissions AS p ON p.permission_key = c.key
WHERE
    r.legacy_table = 'seed'
    AND r.state = 'live'
    AND CASE r.legacy_key::text
        WHEN 'owner' THEN true
        WHEN 'administrator' THEN c.key NOT IN ('roles.delete', 'billing.write')
        WHEN 'technician'
            THEN
                split_part(c.key, '.', 1) IN ('devices', 'agents', 'checks', 'tickets')
                OR c.key IN ('customers.read', 'backups.read', 'backups.run')
        WHEN 'readonly' THEN c.key LIKE '%.read' OR c.key IN ('agents.view', 'checks.view')
    END
