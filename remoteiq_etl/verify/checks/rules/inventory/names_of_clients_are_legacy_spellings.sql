-- A client has the name of its key in a spelling that legacy uses; only the client of sites without one was given a name.
-- reads: devices(id, client), agents(id, client), tickets(client, customer_id)
WITH spelled AS (
    SELECT DISTINCT pg_temp.tidy(client) AS name
    FROM (
        SELECT client FROM legacy_devices
        UNION
        SELECT client FROM legacy_agents
        UNION
        SELECT client FROM legacy_tickets
        UNION
        SELECT customer_id FROM legacy_tickets
    ) AS n
),

used AS MATERIALIZED (SELECT name, pg_temp.normalised(name) AS key FROM spelled WHERE name IS NOT NULL),

live AS MATERIALIZED (
    SELECT legacy_key AS key, decision ->> 'name' AS name
    FROM map_clients
    WHERE legacy_table = 'derived' AND state = 'live'
)

SELECT 'clients' AS table_name, l.key, 'its name is not that of its key: name' AS finding
FROM live AS l
WHERE pg_temp.normalised(l.name) IS DISTINCT FROM l.key
UNION ALL
SELECT 'clients', l.key, 'legacy uses other spellings than the recorded one: name'
FROM live AS l
WHERE
    EXISTS (SELECT FROM used AS u WHERE u.key = l.key)
    AND NOT EXISTS (SELECT FROM used AS u WHERE u.key = l.key AND u.name = l.name)
UNION ALL
SELECT 'clients', l.key, 'nobody spells the client of sites without one, but it has another name: name'
FROM live AS l
WHERE l.key = 'unassigned' AND l.name <> 'Unassigned' AND NOT EXISTS (SELECT FROM used AS u WHERE u.key = l.key)
