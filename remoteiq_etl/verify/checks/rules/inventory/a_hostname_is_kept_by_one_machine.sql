-- A machine gives its hostname up to another one of that name, which has not given it up itself.
-- reads: devices(id, hostname), agents(id, hostname)
WITH machines AS MATERIALIZED (
    SELECT
        m.legacy_table AS origin,
        m.legacy_key AS key,
        coalesce(d.hostname, a.hostname) AS hostname,
        m.last_written ->> 'hostname' AS written,
        m.last_written ->> 'site_id' AS site_id,
        m.decision
    FROM map_devices AS m
    LEFT JOIN legacy_devices AS d ON m.legacy_table = 'devices' AND d.id::text = m.legacy_key
    LEFT JOIN legacy_agents AS a ON m.legacy_table = 'agents' AND a.id::text = m.legacy_key
    WHERE m.legacy_table IN ('devices', 'agents') AND m.state = 'live'
),

renamed AS (
    SELECT * FROM machines WHERE decision ? 'hostname' AND written = decision ->> 'hostname'
)

SELECT 'devices' AS table_name, r.key, 'no keeper of its hostname is recorded: hostname' AS finding
FROM renamed AS r
WHERE r.decision -> 'keeper' ->> 1 IS NULL OR r.decision -> 'keeper' = jsonb_build_array(r.origin, r.key)
UNION ALL
SELECT 'devices', r.key, 'the keeper of its hostname has another one, or is elsewhere: hostname'
FROM renamed AS r
JOIN machines AS k ON k.origin = r.decision -> 'keeper' ->> 0 AND k.key = r.decision -> 'keeper' ->> 1
WHERE
    k.hostname IS NOT NULL AND r.hostname IS NOT NULL
    AND (k.hostname <> r.hostname OR k.written <> k.hostname OR k.site_id IS DISTINCT FROM r.site_id)
