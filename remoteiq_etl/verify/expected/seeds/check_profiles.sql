-- A template, none where another profile of that name is in the organization.
-- not compared: created_at, updated_at: no legacy source, the default at insert stands
SELECT
    'seed' AS _legacy_table,
    'template: baseline' AS _legacy_key,
    m.new_key AS id,
    s.organization_id,
    'Template: Baseline' AS name,
    'The checks that every device should have' AS description,
    NULL AS created_by
FROM source AS s
LEFT JOIN map_check_profiles AS m ON m.legacy_table = 'seed' AND m.legacy_key::text = 'template: baseline'
WHERE
    m.new_key IS NOT NULL
    OR NOT EXISTS (
        SELECT
        FROM target_check_profiles AS o
        WHERE o.organization_id::text = s.organization_id AND pg_temp.normalised(o.name) = 'template: baseline'
    )
