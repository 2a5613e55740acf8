-- covers: devices
-- reads: devices, agents(id, hostname, client, site, last_seen_at)
-- not compared: serial_number: no legacy source
-- not compared: created_at, updated_at: no legacy source, the default at the insert
-- carried from devices: os as operating_system
WITH
-- Every legacy device and every device made for an agent, where they are. What a device lacks it takes from its agent, but no
-- site of another client; a site without client lies under Unassigned, a device with a client alone is at Default.
agents AS MATERIALIZED (
    SELECT
        a.id,
        a.hostname,
        a.last_seen_at,
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
    'devices' AS _legacy_table,
    d.id AS _legacy_key,
    p.new_key AS id,
    s.new_key AS site_id,
    c.new_key AS client_id,
    p.name_there AS hostname,
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
    -- From the cut-over on nobody is online whose agent had not checked in within five minutes before it.
    CASE
        WHEN d.status IS NOT NULL AND o.value IS NOT NULL AND NOT EXISTS (
            SELECT FROM agents AS a
            WHERE a.new_key = p.new_key AND a.last_seen_at >= (o.value #>> '{}')::timestamptz - interval '5 minutes'
        ) THEN 'offline'
        ELSE coalesce(status.label, pg_temp.normalised(d.status))
    END AS status,
    d."user" AS primary_user,
    d.last_seen AS last_seen_at
FROM legacy_devices AS d
JOIN machines AS p ON p.origin = 'devices' AND p.key = d.id::text
LEFT JOIN map_sites AS s
    ON s.legacy_table = 'derived'
    AND s.legacy_key = '[' || to_json(p.in_client)::text || ',' || to_json(p.in_site)::text || ']'
LEFT JOIN map_clients AS c ON c.legacy_table = 'derived' AND c.legacy_key = p.in_client
LEFT JOIN run_option AS o ON o.name = 'cut_over'
LEFT JOIN added_word AS architecture
    ON architecture.value_map = 'devices.architecture'
    AND pg_temp.normalised(architecture.word) = pg_temp.normalised(d.arch)
LEFT JOIN added_word AS status
    ON status.value_map = 'devices.status' AND pg_temp.normalised(status.word) = pg_temp.normalised(d.status)
