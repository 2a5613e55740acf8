-- covers: agents
-- reads: agents
-- not compared: serial_number: no legacy source
-- not compared: created_at, updated_at: no legacy source, the default at the insert
WITH placed AS MATERIALIZED (
    SELECT
        a.id,
        m.new_key,
        m.decision,
        CASE
            WHEN pg_temp.normalised(a.client) IS NOT NULL OR pg_temp.normalised(a.site) IS NOT NULL
                THEN coalesce(pg_temp.normalised(a.client), 'unassigned')
        END AS client,
        coalesce(pg_temp.normalised(a.site), 'default') AS site
    FROM legacy_agents AS a
    JOIN map_devices AS m ON m.legacy_table = 'agents' AND m.legacy_key = a.id::text
    WHERE m.rule = 'synthesized' AND m.state = 'live'
)

SELECT
    'agents' AS _legacy_table,
    a.id AS _legacy_key,
    p.new_key AS id,
    s.new_key AS site_id,
    c.new_key AS client_id,
    CASE WHEN p.decision ? 'hostname' THEN a.hostname || '~' || left(p.new_key::text, 8) ELSE a.hostname END AS hostname,
    a.os AS operating_system,
    coalesce(
        architecture.label,
        CASE
            WHEN pg_temp.normalised(a.arch) IN ('x86_64', 'amd64') THEN 'x64'
            WHEN pg_temp.normalised(a.arch) = 'aarch64' THEN 'arm64'
            WHEN pg_temp.normalised(a.arch) IN ('i386', 'i686') THEN 'x86'
            ELSE a.arch
        END
    ) AS architecture,
    'offline' AS status,
    a.logged_in_user AS primary_user,
    a.last_seen_at
FROM legacy_agents AS a
JOIN placed AS p ON p.id = a.id
LEFT JOIN map_sites AS s
    ON s.legacy_table = 'derived'
    AND s.legacy_key = '[' || to_json(p.client)::text || ',' || to_json(p.site)::text || ']'
LEFT JOIN map_clients AS c ON c.legacy_table = 'derived' AND c.legacy_key = p.client
LEFT JOIN added_word AS architecture
    ON architecture.value_map = 'devices.architecture'
    AND pg_temp.normalised(architecture.word) = pg_temp.normalised(a.arch)
