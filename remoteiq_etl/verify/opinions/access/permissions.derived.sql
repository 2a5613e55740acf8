-- Keys that only role_meta knows. SQL lower() is trusted with ASCII alone: other keys are read from the map.
-- covers: derived
-- reads: role_meta, permissions(id, key)
-- not compared: created_at, updated_at: no legacy source, the default at insert stands
WITH catalogue (key) AS (
    SELECT unnest(string_to_array(
        'admin.access users.read users.write users.delete users.2fa.reset users.manage roles.read roles.write roles.delete'
        ' teams.read teams.write teams.delete billing.read billing.write settings.read settings.write backups.read backups.run'
        ' backups.prune backups.manage backups.restore backups.download agents.view agents.manage checks.view checks.run'
        ' checks.manage tickets.read tickets.write customers.read customers.write devices.read devices.write',
        ' '
    ))
),

named AS (
    SELECT DISTINCT lower(btrim(key, E' \t\n\r\f\x0b')) AS key
    FROM legacy_role_meta
    CROSS JOIN LATERAL unnest(permissions) AS one (key)
    WHERE key ~ '^[\x01-\x7f]*$'
    UNION
    SELECT legacy_key
    FROM map_permissions
    WHERE legacy_table = 'derived' AND legacy_key !~ '^[\x01-\x7f]*$' AND state IN ('live', 'deleted')
),

grouped AS (
    SELECT key, coalesce(nullif(CASE WHEN key LIKE '%.%' THEN split_part(key, '.', 1) END, ''), 'other') AS group_key
    FROM named
    WHERE
        key <> ''
        AND key NOT IN (SELECT key FROM catalogue)
        AND key NOT IN (SELECT lower(btrim(key, E' \t\n\r\f\x0b')) FROM legacy_permissions)
)

SELECT
    'derived' AS _legacy_table,
    key AS _legacy_key,
    key AS permission_key,
    key AS label,
    group_key,
    upper(left(group_key, 1)) || substr(group_key, 2) AS group_label,
    'Found only in role_meta.permissions of the legacy database.' AS description
FROM grouped
