-- A site has the name of its key in a spelling that legacy uses; only the site of devices without one was given a name.
-- reads: devices(id, site), agents(id, site), tickets(site)
WITH spelled AS (
    SELECT DISTINCT pg_temp.tidy(site) AS name
    FROM (
        SELECT site FROM legacy_devices
        UNION
        SELECT site FROM legacy_agents
        UNION
        SELECT site FROM legacy_tickets
    ) AS n
),

used AS MATERIALIZED (SELECT name, pg_temp.normalised(name) AS key FROM spelled WHERE name IS NOT NULL),

live AS MATERIALIZED (
    SELECT legacy_key AS key, legacy_key::jsonb ->> 1 AS site, decision ->> 'name' AS name
    FROM map_sites
    WHERE legacy_table = 'derived' AND state = 'live'
)

SELECT 'sites' AS table_name, l.key, 'its name is not that of its key: name' AS finding
FROM live AS l
WHERE pg_temp.normalised(l.name) IS DISTINCT FROM l.site
UNION ALL
SELECT 'sites', l.key, 'no device, agent or ticket spells a site so: name'
FROM live AS l
WHERE
    EXISTS (SELECT FROM used AS u WHERE u.key = l.site)
    AND NOT EXISTS (SELECT FROM used AS u WHERE u.key = l.site AND u.name = l.name)
    AND NOT (l.site = 'default' AND l.name = 'Default')
UNION ALL
SELECT 'sites', l.key, 'nobody spells the site of devices without one, but it has another name: name'
FROM live AS l
WHERE l.site = 'default' AND l.name <> 'Default' AND NOT EXISTS (SELECT FROM used AS u WHERE u.key = l.site)
