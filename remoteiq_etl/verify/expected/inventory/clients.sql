-- reads: devices(id, client, site), agents(id, client, site), tickets(client, site, customer_id)
-- not compared: contact, created_at, updated_at: no legacy source, the default at the insert
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

named AS MATERIALIZED (
    SELECT client AS name FROM devices
    UNION
    SELECT client FROM agents
    UNION
    SELECT client FROM tickets
    UNION
    -- A site without client lies under a client of this name, but an agent's is that of its device where the device is at one of
    -- this name.
    SELECT 'unassigned' FROM placed WHERE client IS NULL AND site IS NOT NULL
    UNION
    SELECT 'unassigned' FROM agents AS a
    WHERE
        a.client IS NULL AND a.site IS NOT NULL
        AND NOT EXISTS (SELECT FROM placed AS p WHERE p.device = a.device AND p.site = a.site)
    UNION
    SELECT 'unassigned' FROM tickets WHERE client IS NULL AND site IS NOT NULL
)

SELECT
    'derived' AS _legacy_table,
    n.name AS _legacy_key,
    m.new_key AS id,
    source.organization_id::uuid AS organization_id,
    m.decision ->> 'name' AS name,
    m.decision ->> 'external_ref' AS external_ref
FROM named AS n
CROSS JOIN source
LEFT JOIN map_clients AS m ON m.legacy_table = 'derived' AND m.legacy_key = n.name
WHERE n.name IS NOT NULL
