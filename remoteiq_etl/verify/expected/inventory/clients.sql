-- reads: devices(id, client, site), agents(id, client, site), tickets(client, site, customer_id)
-- not compared: contact, created_at, updated_at: no legacy source, the default at the insert
WITH mentioned AS (
    SELECT client, site FROM legacy_devices
    UNION
    SELECT client, site FROM legacy_agents
    UNION
    SELECT
        CASE
            WHEN pg_temp.normalised(client) IS NOT NULL THEN client
            WHEN pg_temp.tidy(customer_id) COLLATE "C" !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN customer_id
        END,
        site
    FROM (SELECT DISTINCT client, site, customer_id FROM legacy_tickets) AS t
),

named AS MATERIALIZED (
    SELECT pg_temp.normalised(client) AS name FROM mentioned
    UNION
    -- A site without client lies under a client of this name.
    SELECT 'unassigned' FROM mentioned
    WHERE pg_temp.normalised(client) IS NULL AND pg_temp.normalised(site) IS NOT NULL
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
