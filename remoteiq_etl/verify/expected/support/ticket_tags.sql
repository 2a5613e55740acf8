-- reads: tickets(id, client, site, customer_id, device_id, created_at, updated_at)
-- each row: tickets
WITH texts AS MATERIALIZED (
    SELECT t.text, pg_temp.normalised(t.text) AS form
    FROM (
        SELECT client FROM legacy_tickets
        UNION SELECT site FROM legacy_tickets
        UNION SELECT customer_id FROM legacy_tickets
    ) AS t (text)
    WHERE t.text IS NOT NULL
),

places AS (
    SELECT
        k.new_key,
        k.legacy_key::jsonb ->> 0 AS client,
        k.legacy_key::jsonb ->> 1 AS site,
        k.decision ->> 'name' AS name
    FROM map_sites AS k
    WHERE k.legacy_table = 'derived' AND k.state IN ('live', 'merged')
),

-- Where a device of the target is, as it was last written there.
located AS (
    SELECT d.new_key AS device_id, p.client, p.site
    FROM map_devices AS d
    JOIN places AS p ON p.new_key = (d.last_written ->> 'site_id')::uuid
    WHERE d.state = 'live'
),

known AS (
    SELECT
        l.id,
        t.new_key AS ticket_id,
        coalesce(c.form, CASE WHEN u.form !~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' THEN u.form END) AS client,
        s.form AS site,
        -- What stands in for the recorded name of a client or site that is quarantined.
        btrim(regexp_replace(CASE WHEN c.form IS NULL THEN l.customer_id ELSE l.client END, '\s+', ' ', 'g')) AS client_text,
        btrim(regexp_replace(l.site, '\s+', ' ', 'g')) AS site_text,
        device.client AS device_client,
        device.site AS device_site,
        -- A number is given once: what legacy makes of it later is no number of the ticket any more.
        t.decision ->> 'legacy_number' AS legacy_number,
        t.decision ->> 'ticket_number' AS ticket_number,
        coalesce(
            l.created_at, l.updated_at
        ) AS created_at
    FROM legacy_tickets AS l
    LEFT JOIN map_tickets AS t ON t.legacy_table = 'tickets' AND t.legacy_key = l.id::text
    LEFT JOIN map_devices AS text ON text.legacy_table = 'device_text' AND text.legacy_key = l.device_id
    LEFT JOIN located AS device ON device.device_id = text.new_key
    LEFT JOIN texts AS c ON c.text = l.client
    LEFT JOIN texts AS u ON u.text = l.customer_id
    LEFT JOIN texts AS s ON s.text = l.site
),

tags AS (
    SELECT l.id, 'client' AS kind, l.ticket_id, 'client:' || coalesce(c.decision ->> 'name', l.client_text) AS tag, l.created_at
    FROM known AS l
    LEFT JOIN map_clients AS c ON c.legacy_table = 'derived' AND c.legacy_key = l.client
    WHERE l.client IS NOT NULL AND l.client IS DISTINCT FROM l.device_client
    UNION ALL
    SELECT l.id, 'site', l.ticket_id, 'site:' || coalesce(p.name, l.site_text), l.created_at
    FROM known AS l
    LEFT JOIN places AS p ON p.client = coalesce(l.client, 'unassigned') AND p.site = l.site
    WHERE
        l.site IS NOT NULL
        AND (l.site IS DISTINCT FROM l.device_site OR coalesce(l.client, l.device_client) IS DISTINCT FROM l.device_client)
    UNION ALL
    SELECT l.id, 'legacy-number', l.ticket_id, 'legacy-number:' || l.legacy_number, l.created_at
    FROM known AS l
    WHERE l.legacy_number <> l.ticket_number
)

SELECT
    'tickets' AS _legacy_table,
    '[' || to_json(l.id::text)::text || ',' || to_json(l.kind)::text || ']' AS _legacy_key,
    l.ticket_id,
    l.tag,
    l.created_at
FROM tags AS l
