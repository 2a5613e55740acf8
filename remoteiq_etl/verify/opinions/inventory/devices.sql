-- covers: devices
-- reads: devices, agents(id, client, site)
-- not compared: serial_number: no legacy source
-- not compared: created_at, updated_at: no legacy source, the default at the insert
WITH agents AS MATERIALIZED (
    SELECT
        m.new_key AS device,
        pg_temp.normalised(a.client) AS client,
        pg_temp.normalised(a.site) AS site
    FROM legacy_agents AS a
    JOIN map_devices AS m ON m.legacy_table = 'agents' AND m.legacy_key = a.id::text
),

devices AS MATERIALIZED (
    SELECT
        d.id,
        m.new_key,
        m.decision,
        pg_temp.normalised(d.client) AS client,
        pg_temp.normalised(d.site) AS site
    FROM legacy_devices AS d
    LEFT JOIN map_devices AS m ON m.legacy_table = 'devices' AND m.legacy_key = d.id::text
),

-- What a device lacks it takes from its agent, but no site of another client.
named AS (
    SELECT
        d.*,
        coalesce(d.client, a.client) AS of_client,
        coalesce(d.site, CASE WHEN a.client IS NULL OR a.client = coalesce(d.client, a.client) THEN a.site END) AS of_site
    FROM devices AS d
    LEFT JOIN agents AS a ON a.device = d.new_key
),

placed AS (
    SELECT
        n.id,
        n.new_key,
        n.decision,
        CASE WHEN coalesce(of_client, of_site) IS NOT NULL THEN coalesce(of_client, 'unassigned') END AS client,
        CASE WHEN coalesce(of_client, of_site) IS NOT NULL THEN coalesce(of_site, 'default') END AS site
    FROM named AS n
)

SELECT
    'devices' AS _legacy_table,
    d.id AS _legacy_key,
    p.new_key AS id,
    s.new_key AS site_id,
    c.new_key AS client_id,
    -- Who loses its hostname is a decision; what it is called then is none.
    CASE WHEN p.decision ? 'hostname' THEN d.hostname || '~' || left(p.new_key::text, 8) ELSE d.hostname END AS hostname,
    d.os AS operating_system,
    coalesce(
        architecture.label,
        CASE
            WHEN pg_temp.normalised(d.arch) IN ('x86_64', 'amd64') THEN 'x64'
            WHEN pg_temp.normalised(d.arch) = 'aarch64' THEN 'arm64'
            WHEN pg_temp.normalised(d.arch) IN ('i386', 'i686') THEN 'x86'
            ELSE d.arch
        END
    ) AS architecture,
    coalesce(status.label, pg_temp.normalised(d.status)) AS status,
    d."user" AS primary_user,
    d.last_seen AS last_seen_at
FROM legacy_devices AS d
JOIN placed AS p ON p.id = d.id
LEFT JOIN map_sites AS s
    ON s.legacy_table = 'derived'
    AND s.legacy_key = '[' || to_json(p.client)::text || ',' || to_json(p.site)::text || ']'
LEFT JOIN map_clients AS c ON c.legacy_table = 'derived' AND c.legacy_key = p.client
LEFT JOIN added_word AS architecture
    ON architecture.value_map = 'devices.architecture'
    AND pg_temp.normalised(architecture.word) = pg_temp.normalised(d.arch)
LEFT JOIN added_word AS status
    ON status.value_map = 'devices.status' AND pg_temp.normalised(status.word) = pg_temp.normalised(d.status)
