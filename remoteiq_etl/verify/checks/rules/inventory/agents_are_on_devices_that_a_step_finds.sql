-- An agent is on a legacy device that names it, that it names, or that has its hostname, unless one of the two was changed since.
-- reads: devices(id, hostname, agent_uuid), agents(id, device_id, hostname, agent_uuid)
WITH pairs AS (
    SELECT m.legacy_key AS agent, m.decision -> 'same_as' ->> 1 AS device, m.last_run
    FROM map_devices AS m
    WHERE m.legacy_table = 'agents' AND m.rule IN ('pair_agent_uuid', 'pair_device_id', 'pair_hostname')
),

unchanged AS (
    SELECT p.agent, p.device
    FROM pairs AS p
    JOIN map_devices AS d ON d.legacy_table = 'devices' AND d.legacy_key = p.device
    JOIN map_agents AS a ON a.legacy_table = 'agents' AND a.legacy_key::text = p.agent
    WHERE d.last_run <= p.last_run AND a.last_run <= p.last_run
)

SELECT 'agents' AS table_name, u.agent AS key, 'none of the three steps leads to its device: device_id' AS finding
FROM unchanged AS u
JOIN legacy_agents AS a ON a.id::text = u.agent
JOIN legacy_devices AS d ON d.id::text = u.device
WHERE
    d.agent_uuid IS DISTINCT FROM a.agent_uuid
    AND regexp_replace(pg_temp.normalised(a.device_id), '^(win|linux|mac)-', '') IS DISTINCT FROM d.id::text
    AND pg_temp.normalised(a.device_id) IS DISTINCT FROM d.id::text
    AND pg_temp.normalised(a.hostname) IS DISTINCT FROM pg_temp.normalised(d.hostname)
