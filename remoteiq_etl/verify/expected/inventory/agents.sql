-- reads: agents, devices(id, client, site)
-- each row: agents
-- carried from agents: agent_uuid
WITH told AS (
    SELECT
        id,
        CASE jsonb_typeof(facts)
            WHEN 'object' THEN facts
            WHEN 'null' THEN '{}'
            ELSE jsonb_build_object('value', facts)
        END AS facts,
        jsonb_strip_nulls(
            jsonb_build_object(
                'os', os,
                'arch', arch,
                'primary_ip', primary_ip,
                'user', logged_in_user,
                'logged_in_user', logged_in_user,
                'hostname', hostname,
                'deviceKey', device_id
            )
        ) AS added
    FROM legacy_agents
),

displaced AS (
    SELECT t.id, jsonb_object_agg(ours.key, t.facts -> ours.key) AS facts
    FROM told AS t
    CROSS JOIN jsonb_each(t.added) AS ours
    WHERE t.facts ? ours.key AND t.facts -> ours.key <> ours.value
    GROUP BY t.id
),

facts AS (
    SELECT
        t.id,
        t.facts || t.added || CASE
            WHEN d.id IS NULL THEN '{}'
            ELSE jsonb_build_object(
                'legacyValues',
                CASE coalesce(jsonb_typeof(t.facts -> 'legacyValues'), 'null')
                    WHEN 'object' THEN t.facts -> 'legacyValues'
                    WHEN 'null' THEN '{}'
                    ELSE jsonb_build_object('value', t.facts -> 'legacyValues')
                END || d.facts
            )
        END AS facts
    FROM told AS t
    LEFT JOIN displaced AS d ON d.id = t.id
),

said AS MATERIALIZED (
    SELECT
        a.id,
        d.new_key AS device,
        pg_temp.normalised(a.client) AS client,
        pg_temp.normalised(a.site) AS site
    FROM legacy_agents AS a
    LEFT JOIN map_devices AS d ON d.legacy_table = 'agents' AND d.legacy_key = a.id::text
),

-- A site without client is that of the agent's device where the device is at one of this name, else under Unassigned.
devices AS MATERIALIZED (
    SELECT
        m.new_key AS device,
        pg_temp.normalised(d.client) AS client,
        pg_temp.normalised(d.site) AS site
    FROM legacy_devices AS d
    JOIN map_devices AS m ON m.legacy_table = 'devices' AND m.legacy_key = d.id::text
),

placed AS (
    SELECT
        s.id,
        s.site,
        CASE
            WHEN s.client IS NULL AND s.site IS NOT NULL
                THEN coalesce(CASE WHEN coalesce(d.site, s.site) = s.site THEN d.client END, 'unassigned')
            ELSE s.client
        END AS client
    FROM said AS s
    LEFT JOIN devices AS d ON d.device = s.device
)

SELECT
    'agents' AS _legacy_table,
    a.id AS _legacy_key,
    m.new_key AS id,
    d.new_key AS device_id,
    a.agent_uuid,
    a.version,
    a.last_seen_at AS last_check_in_at,
    f.facts,
    coalesce(a.created_at, least(a.updated_at, a.last_seen_at)) AS created_at,
    coalesce(a.updated_at, greatest(a.created_at, a.last_seen_at)) AS updated_at,
    a.hostname,
    a.token_hash,
    c.new_key AS client_id,
    s.new_key AS site_id
FROM legacy_agents AS a
JOIN facts AS f ON f.id = a.id
JOIN placed AS p ON p.id = a.id
LEFT JOIN map_clients AS c ON c.legacy_table = 'derived' AND c.legacy_key = p.client
LEFT JOIN map_sites AS s
    ON s.legacy_table = 'derived'
    AND s.legacy_key = '[' || to_json(p.client)::text || ',' || to_json(p.site)::text || ']'
LEFT JOIN map_agents AS m ON m.legacy_table = 'agents' AND m.legacy_key::text = a.id::text
LEFT JOIN map_devices AS d ON d.legacy_table = 'agents' AND d.legacy_key = a.id::text
