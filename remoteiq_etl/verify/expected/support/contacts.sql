-- reads: tickets(id, requester_name, requester_email, client, site, customer_id, created_at, updated_at)
-- not compared: phone: no legacy source, tickets name no phone
WITH texts AS MATERIALIZED (
    SELECT t.text, pg_temp.normalised(t.text) AS form
    FROM (
        SELECT requester_name FROM legacy_tickets
        UNION SELECT client FROM legacy_tickets
        UNION SELECT site FROM legacy_tickets
        UNION SELECT customer_id FROM legacy_tickets
    ) AS t (text)
    WHERE t.text IS NOT NULL
),

addresses AS MATERIALIZED (
    SELECT t.requester_email AS text, pg_temp.mail_address(t.requester_email) AS address
    FROM (SELECT DISTINCT requester_email FROM legacy_tickets) AS t
),

requests AS (
    SELECT
        l.id,
        CASE WHEN a.address IS NOT NULL THEN 'email' ELSE 'name' END AS kind,
        coalesce(a.address, n.form) AS value,
        a.address,
        coalesce(c.form, CASE WHEN u.form !~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' THEN u.form END) AS client,
        s.form AS site,
        coalesce(
            l.created_at, l.updated_at
        ) AS created_at
    FROM legacy_tickets AS l
    LEFT JOIN addresses AS a ON a.text = l.requester_email
    LEFT JOIN texts AS n ON n.text = l.requester_name
    LEFT JOIN texts AS c ON c.text = l.client
    LEFT JOIN texts AS u ON u.text = l.customer_id
    LEFT JOIN texts AS s ON s.text = l.site
    WHERE a.address IS NOT NULL OR n.form IS NOT NULL
),

latest AS (
    SELECT DISTINCT ON (r.kind, r.value)
        r.kind,
        r.value,
        r.address,
        r.client,
        r.site,
        '[' || to_json(r.kind)::text || ',' || to_json(r.value)::text || ']' AS legacy_key,
        min(r.created_at) OVER (PARTITION BY r.kind, r.value) AS first_created,
        max(r.created_at) OVER (PARTITION BY r.kind, r.value) AS last_created
    FROM requests AS r
    ORDER BY r.kind, r.value, r.created_at DESC NULLS LAST, r.id DESC
)

SELECT
    'derived' AS _legacy_table,
    l.legacy_key AS _legacy_key,
    m.new_key AS id,
    o.organization_id,
    m.decision ->> 'name' AS name,
    l.address AS email,
    jsonb_strip_nulls(jsonb_build_object('clientId', c.new_key, 'siteId', s.new_key)) AS metadata,
    l.first_created AS created_at,
    l.last_created AS updated_at
FROM latest AS l
CROSS JOIN source AS o
LEFT JOIN map_contacts AS m ON m.legacy_table = 'derived' AND m.legacy_key = l.legacy_key
LEFT JOIN map_clients AS c ON c.legacy_table = 'derived' AND c.legacy_key = l.client AND c.state IN ('live', 'merged')
LEFT JOIN map_sites AS s
    ON s.legacy_table = 'derived'
    AND s.legacy_key = '[' || to_json(coalesce(l.client, 'unassigned'))::text || ',' || to_json(l.site)::text || ']'
    AND s.state IN ('live', 'merged')
