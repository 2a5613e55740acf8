-- The latest audit of each kind of settings tells what we last wrote there.
WITH latest AS (
    SELECT DISTINCT ON (settings_type) m.legacy_key, k.settings_type, m.decision -> 'next' AS next
    FROM map_organization_setting_audits AS m
    CROSS JOIN LATERAL (SELECT m.legacy_key::jsonb ->> 0) AS k (settings_type)
    WHERE m.state = 'live'
    ORDER BY settings_type, (m.decision ->> 'run')::bigint DESC
)

SELECT
    'organization_setting_audits' AS table_name,
    l.legacy_key::text AS key,
    'next is not what was last written to organization_settings: next' AS finding
FROM latest AS l
JOIN map_organization_settings AS s ON s.state = 'live' AND s.last_written IS NOT NULL
WHERE
    l.next IS DISTINCT FROM s.last_written -> l.settings_type
    AND NOT s.adopted
    -- A later run may have found there what legacy has by now, and written nothing: a fall-back had carried it to legacy.
    AND s.last_run IN (
        SELECT (m.decision ->> 'run')::bigint
        FROM map_organization_setting_audits AS m
        WHERE m.state = 'live'
    )
