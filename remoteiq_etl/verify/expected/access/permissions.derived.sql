-- Keys that only role_meta knows.
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
    SELECT DISTINCT pg_temp.lowered(key) AS key
    FROM legacy_role_meta
    CROSS JOIN LATERAL unnest(permissions) AS one (key)
),

grouped AS (
    SELECT key, coalesce(nullif(CASE WHEN key LIKE '%.%' THEN split_part(key, '.', 1) END, ''), 'other') AS group_key
    FROM named
    WHERE
        key IS NOT NULL
        AND key NOT IN (SELECT key FROM catalogue)
        AND key NOT IN (SELECT coalesce(pg_temp.lowered(key), '') FROM legacy_permissions)
)

SELECT
    'derived' AS _legacy_table,
    key AS _legacy_key,
    key AS permission_key,
    key AS label,
    group_key,
    coalesce(f.titled, left(group_key, 1)) || substr(group_key, 2) AS group_label,
    'Made of a word in role_meta.permissions of the legacy database.' AS description
FROM grouped
LEFT JOIN pg_temp.case_fold AS f ON f.letter = left(group_key, 1)
