-- Templates, none where another check of that name is in the organization.
-- covers: seed
-- not compared: created_at, updated_at: no legacy source, the default at insert stands
SELECT
    'seed' AS _legacy_table,
    lower(t.name COLLATE "C") AS _legacy_key,
    m.new_key AS id,
    s.organization_id,
    t.name,
    t.type,
    NULL AS category,
    t.description,
    '@every 300s' AS schedule,
    t.config || '{"enabled": false}' AS config,
    NULL AS created_by
FROM (
    VALUES
    ('Template: CPU', 'metric', 'Processor load', '{"metric": "cpu"}'::jsonb),
    ('Template: Memory', 'metric', 'Memory in use', '{"metric": "memory"}'),
    ('Template: Disk', 'metric', 'Disk space in use', '{"metric": "disk"}'),
    ('Template: Ping', 'ping', 'Whether a host answers', '{}')
) AS t (name, type, description, config)
CROSS JOIN source AS s
LEFT JOIN map_checks AS m ON m.legacy_table = 'seed' AND m.legacy_key::text = lower(t.name COLLATE "C")
WHERE
    m.state IS DISTINCT FROM 'merged'
    AND (
        m.new_key IS NOT NULL
        OR NOT EXISTS (
            SELECT
            FROM target_checks AS o
            WHERE o.organization_id::text = s.organization_id AND pg_temp.normalised(o.name) = lower(t.name COLLATE "C")
        )
    )
