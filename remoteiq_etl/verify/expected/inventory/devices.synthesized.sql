-- covers: agents
-- reads: agents, devices(id, hostname, client, site)
-- not compared: serial_number: no legacy source
-- not compared: created_at, updated_at: no legacy source, the default at the insert
WITH
-- Every legacy device and every device made for an agent, where they are. What a device lacks it takes from its agent, but no
-- site of another client; a site without client lies under Unassigned, a device with a client alone is at Default.
agents AS MATERIALIZED (
    SELECT
        a.id,
        a.hostname,
        m.new_key,
        m.decision,
        m.rule = 'synthesized' AND m.state = 'live' AS is_synthesized,
        pg_temp.normalised(a.client) AS client,
        pg_temp.normalised(a.site) AS site
    FROM legacy_agents AS a
    JOIN map_devices AS m ON m.legacy_table = 'agents' AND m.legacy_key = a.id::text
),

devices AS MATERIALIZED (
    SELECT
        d.id,
        d.hostname,
        m.new_key,
        m.decision,
        pg_temp.normalised(d.client) AS client,
        pg_temp.normalised(d.site) AS site
    FROM legacy_devices AS d
    LEFT JOIN map_devices AS m ON m.legacy_table = 'devices' AND m.legacy_key = d.id::text
),

named AS (
    SELECT
        'devices' AS origin,
        d.id::text AS key,
        d.hostname,
        d.new_key,
        d.decision,
        coalesce(d.client, a.client) AS client,
        coalesce(d.site, CASE WHEN a.client IS NULL OR a.client = coalesce(d.client, a.client) THEN a.site END) AS site
    FROM devices AS d
    LEFT JOIN agents AS a ON a.new_key = d.new_key
    UNION ALL
    SELECT 'agents', id::text, hostname, new_key, decision, client, site FROM agents WHERE is_synthesized
),

placed AS (
    SELECT
        n.*,
        CASE WHEN coalesce(client, site) IS NOT NULL THEN coalesce(client, 'unassigned') END AS in_client,
        CASE WHEN coalesce(client, site) IS NOT NULL THEN coalesce(site, 'default') END AS in_site
    FROM named AS n
),

-- Who loses its hostname is a decision, as long as another of its name is there; what it is called then is none.
machines AS MATERIALIZED (
    SELECT
        p.*,
        CASE
            WHEN p.decision ? 'hostname' AND p.in_site IS NOT NULL AND count(*) OVER one_name > 1
                THEN p.hostname || '~' || left(p.new_key::text, 8)
            ELSE p.hostname
        END AS name_there
    FROM placed AS p
    WINDOW one_name AS (PARTITION BY p.in_client, p.in_site, p.hostname)
)

SELECT
    'agents' AS _legacy_table,
    a.id AS _legacy_key,
    p.new_key AS id,
    s.new_key AS site_id,
    c.new_key AS client_id,
    p.name_there AS hostname,
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
JOIN machines AS p ON p.origin = 'agents' AND p.key = a.id::text
LEFT JOIN map_sites AS s
    ON s.legacy_table = 'derived'
    AND s.legacy_key = '[' || to_json(p.in_client)::text || ',' || to_json(p.in_site)::text || ']'
LEFT JOIN map_clients AS c ON c.legacy_table = 'derived' AND c.legacy_key = p.in_client
LEFT JOIN added_word AS architecture
    ON architecture.value_map = 'devices.architecture'
    AND pg_temp.normalised(architecture.word) = pg_temp.normalised(a.arch)
