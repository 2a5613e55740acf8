-- A text that is the id of a device means that one; one that is the id or the uuid of an agent the device of that agent.
-- reads: devices(id), agents(id, device_id, agent_uuid)
WITH texts AS MATERIALIZED (
    SELECT legacy_key AS text, pg_temp.normalised(legacy_key) AS word, new_key, decision ->> 'way' AS way, first_run
    FROM map_devices
    WHERE legacy_table = 'device_text'
),

devices AS (
    SELECT d.id::text AS word, m.new_key, m.first_run
    FROM legacy_devices AS d
    JOIN map_devices AS m ON m.legacy_table = 'devices' AND m.legacy_key = d.id::text
),

agents AS (
    SELECT a.id::text AS id, a.agent_uuid::text AS agent_uuid, pg_temp.normalised(a.device_id) AS device_id, m.new_key
    FROM legacy_agents AS a
    JOIN map_devices AS m ON m.legacy_table = 'agents' AND m.legacy_key = a.id::text
)

SELECT 'devices' AS table_name, t.text AS key, 'is the id of a device, but was read otherwise: device_text' AS finding
FROM texts AS t
JOIN devices AS d ON d.word = t.word
WHERE d.first_run <= t.first_run AND (t.way <> 'device_id' OR t.new_key <> d.new_key)
UNION ALL
SELECT 'devices', t.text, 'is read as an id that no device of the map has: device_text'
FROM texts AS t
WHERE
    t.way = 'device_id'
    AND NOT EXISTS (
        SELECT FROM map_devices AS d WHERE d.legacy_table = 'devices' AND d.legacy_key = t.word AND d.new_key = t.new_key
    )
UNION ALL
SELECT 'devices', t.text, 'is read as the id of an agent, which is on another device: device_text'
FROM texts AS t
JOIN agents AS a ON a.id = t.word
WHERE t.way = 'agent_id' AND a.new_key <> t.new_key
UNION ALL
SELECT 'devices', t.text, 'is read as the uuid of an agent, which is on another device: device_text'
FROM texts AS t
JOIN agents AS a ON a.agent_uuid = t.word
WHERE t.way = 'agent_uuid' AND a.new_key <> t.new_key
UNION ALL
SELECT 'devices', t.text, 'was read as the name of an agent, but that agent is on another device: device_text'
FROM texts AS t
JOIN agents AS a ON a.device_id = t.word
WHERE
    t.way = 'agent_device_id'
    AND NOT EXISTS (SELECT FROM agents AS o WHERE o.device_id = t.word AND o.new_key = t.new_key)
