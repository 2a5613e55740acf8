-- reads: devices(id, client, site), agents(id, client, site), tickets(client, site, customer_id)
-- not compared: address, created_at, updated_at: no legacy source, the default at the insert
WITH agents AS MATERIALIZED (
    SELECT
        a.id::text AS id,
        pg_temp.normalised(a.client) AS client,
        pg_temp.normalised(a.site) AS site,
        m.new_key AS device,
        m.rule = 'synthesized' AS synthesized
    FROM legacy_agents AS a
    LEFT JOIN map_devices AS m ON m.legacy_table = 'agents' AND m.legacy_key = a.id::text
),

devices AS MATERIALIZED (
    SELECT
        m.new_key AS device,
        pg_temp.normalised(d.client) AS client,
        pg_temp.normalised(d.site) AS site
    FROM legacy_devices AS d
    LEFT JOIN map_devices AS m ON m.legacy_table = 'devices' AND m.legacy_key = d.id::text
),

-- What a device lacks it takes from its agent, but no site of another client; with a client alone it is at Default.
placed AS (
    SELECT
        d.device,
        coalesce(d.client, a.client) AS client,
        coalesce(d.site, CASE WHEN a.client IS NULL OR a.client = coalesce(d.client, a.client) THEN a.site END) AS site
    FROM devices AS d
    LEFT JOIN agents AS a ON a.device = d.device
    UNION ALL
    SELECT device, client, site FROM agents WHERE synthesized
),

tickets AS (
    SELECT
        coalesce(
            pg_temp.normalised(client),
            CASE
                WHEN pg_temp.tidy(customer_id) COLLATE "C" !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                    THEN pg_temp.normalised(customer_id)
            END
        ) AS client,
        pg_temp.normalised(site) AS site
    FROM (SELECT DISTINCT client, site, customer_id FROM legacy_tickets) AS t
),

-- A site without client lies under Unassigned, but an agent's is that of its device where the device is at one of this name.
named AS (
    SELECT coalesce(client, 'unassigned') AS client, coalesce(site, 'default') AS site FROM placed
    WHERE client IS NOT NULL OR site IS NOT NULL
    UNION
    SELECT coalesce(a.client, 'unassigned'), a.site FROM agents AS a
    WHERE
        a.site IS NOT NULL
        AND (a.client IS NOT NULL OR NOT EXISTS (SELECT FROM placed AS p WHERE p.device = a.device AND p.site = a.site))
    UNION
    SELECT coalesce(client, 'unassigned'), site FROM tickets
    WHERE site IS NOT NULL
)

SELECT
    'derived' AS _legacy_table,
    '[' || to_json(n.client)::text || ',' || to_json(n.site)::text || ']' AS _legacy_key,
    m.new_key AS id,
    c.new_key AS client_id,
    m.decision ->> 'name' AS name
FROM named AS n
LEFT JOIN map_sites AS m
    ON m.legacy_table = 'derived' AND m.legacy_key = '[' || to_json(n.client)::text || ',' || to_json(n.site)::text || ']'
LEFT JOIN map_clients AS c ON c.legacy_table = 'derived' AND c.legacy_key = n.client
