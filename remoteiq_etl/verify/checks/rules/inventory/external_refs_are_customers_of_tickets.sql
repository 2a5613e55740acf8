-- A client's external_ref is a customer_uuid of its tickets, and one whose tickets name a single customer has that.
-- reads: tickets(client, customer_id, customer_uuid)
WITH named AS (
    SELECT DISTINCT client, customer_id, customer_uuid::text AS reference
    FROM legacy_tickets
    WHERE customer_uuid IS NOT NULL
),

customers AS MATERIALIZED (
    SELECT DISTINCT
        coalesce(
            pg_temp.normalised(client),
            CASE
                WHEN pg_temp.tidy(customer_id) COLLATE "C" !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                    THEN pg_temp.normalised(customer_id)
            END
        ) AS client,
        reference
    FROM named
),

single AS (
    SELECT client, min(reference) AS reference FROM customers WHERE client IS NOT NULL
    GROUP BY client
    HAVING count(*) = 1
),

live AS (
    SELECT legacy_key AS key, decision ->> 'external_ref' AS reference
    FROM map_clients
    WHERE legacy_table = 'derived' AND state = 'live'
)

SELECT 'clients' AS table_name, l.key, 'none of its tickets names this customer: external_ref' AS finding
FROM live AS l
WHERE
    l.reference IS NOT NULL
    AND EXISTS (SELECT FROM customers AS c WHERE c.client = l.key)
    AND NOT EXISTS (SELECT FROM customers AS c WHERE c.client = l.key AND c.reference = l.reference)
UNION ALL
SELECT 'clients', l.key, 'its tickets name one customer, which is not recorded: external_ref'
FROM live AS l
JOIN single AS s ON s.client = l.key
WHERE l.reference IS DISTINCT FROM s.reference
