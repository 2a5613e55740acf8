-- Its source is our own writes: what was recorded when a run changed the settings.
SELECT
    m.legacy_table AS _legacy_table,
    m.legacy_key AS _legacy_key,
    m.new_key AS id,
    s.organization_id,
    m.legacy_key::jsonb ->> 0 AS settings_type,
    nullif(m.decision -> 'previous', 'null') AS previous,
    nullif(m.decision -> 'next', 'null') AS next,
    NULL AS changed_by,
    m.decision ->> 'at' AS created_at
FROM map_organization_setting_audits AS m
CROSS JOIN source AS s
WHERE m.state = 'live'
