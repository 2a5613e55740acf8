-- A template, none where another policy of that name is in the organization.
-- covers: seed
-- not compared: created_at, updated_at: no legacy source, the default at insert stands
SELECT
    'seed' AS _legacy_table,
    'template: daily backup' AS _legacy_key,
    m.new_key AS id,
    s.organization_id,
    'Template: Daily backup' AS name,
    'A backup a day, kept for thirty days' AS description,
    'daily' AS schedule,
    '{"days": 30}'::jsonb AS retention,
    NULL AS destination_id,
    'organization' AS target_type,
    NULL AS target_id,
    NULL AS created_by,
    '{"enabled": false}'::jsonb AS options,
    false AS is_default
FROM source AS s
LEFT JOIN map_backup_policies AS m ON m.legacy_table = 'seed' AND m.legacy_key::text = 'template: daily backup'
WHERE
    m.new_key IS NOT NULL
    OR NOT EXISTS (
        SELECT
        FROM target_backup_policies AS o
        WHERE o.organization_id::text = s.organization_id AND pg_temp.normalised(o.name) = 'template: daily backup'
    )
