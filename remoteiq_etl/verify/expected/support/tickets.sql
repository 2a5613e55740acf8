-- rows: tickets
-- carried from tickets: title as subject, description
WITH texts AS MATERIALIZED (
    SELECT t.text, pg_temp.normalised(t.text) AS form
    FROM (
        SELECT requester_name FROM legacy_tickets
        UNION SELECT client FROM legacy_tickets
        UNION SELECT site FROM legacy_tickets
        UNION SELECT customer_id FROM legacy_tickets
        UNION SELECT status FROM legacy_tickets
        UNION SELECT priority FROM legacy_tickets
    ) AS t (text)
    WHERE t.text IS NOT NULL
),

addresses AS MATERIALIZED (
    SELECT t.requester_email AS text, pg_temp.mail_address(t.requester_email) AS address
    FROM (SELECT DISTINCT requester_email FROM legacy_tickets) AS t
),

-- What the texts mean that name a device, where that device was migrated.
devices AS MATERIALIZED (
    SELECT t.legacy_key AS text, t.new_key
    FROM map_devices AS t
    JOIN map_devices AS d ON d.new_key = t.new_key AND d.state = 'live'
    WHERE t.legacy_table = 'device_text'
),

known AS (
    SELECT
        l.*,
        CASE
            WHEN a.address IS NOT NULL THEN '["email",' || to_json(a.address)::text || ']'
            WHEN n.form IS NOT NULL THEN '["name",' || to_json(n.form)::text || ']'
        END AS contact_key,
        coalesce(c.form, CASE WHEN u.form !~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' THEN u.form END) AS client_form,
        s.form AS site_form,
        coalesce(
            sw.label,
            sf.label,
            CASE
                WHEN st.form IN ('open', 'new') THEN 'open'
                WHEN st.form IN ('in_progress', 'pending', 'waiting', 'on_hold') THEN 'pending'
                WHEN st.form IN ('resolved', 'closed') THEN st.form
            END
        ) AS new_status,
        coalesce(
            pw.label,
            pf.label,
            CASE
                WHEN pr.form IN ('medium', 'normal') THEN 'normal'
                WHEN pr.form IN ('urgent', 'critical') THEN 'urgent'
                WHEN pr.form IN ('low', 'high') THEN pr.form
            END
        ) AS new_priority,
        l.created_at AS created,
        l.updated_at AS updated
    FROM legacy_tickets AS l
    LEFT JOIN addresses AS a ON a.text = l.requester_email
    LEFT JOIN texts AS n ON n.text = l.requester_name
    LEFT JOIN texts AS c ON c.text = l.client
    LEFT JOIN texts AS u ON u.text = l.customer_id
    LEFT JOIN texts AS s ON s.text = l.site
    LEFT JOIN texts AS st ON st.text = l.status
    LEFT JOIN texts AS pr ON pr.text = l.priority
    LEFT JOIN added_word AS sw ON sw.value_map = 'tickets.status' AND pg_temp.normalised(sw.word) = st.form
    LEFT JOIN further_label AS sf ON sf.table_name = 'tickets' AND sf.column_name = 'status' AND pg_temp.normalised(sf.label) = st.form
    LEFT JOIN further_label AS pf
        ON pf.table_name = 'tickets' AND pf.column_name = 'priority' AND pg_temp.normalised(pf.label) = pr.form
    LEFT JOIN added_word AS pw ON pw.value_map = 'tickets.priority' AND pg_temp.normalised(pw.word) = pr.form
)

SELECT
    'tickets' AS _legacy_table,
    l.id AS _legacy_key,
    m.new_key AS id,
    o.organization_id,
    (m.decision ->> 'ticket_number')::bigint AS ticket_number,
    contact.new_key AS requester_contact_id,
    d.new_key AS device_id,
    l.title AS subject,
    l.description,
    l.new_status AS status,
    l.new_priority AS priority,
    coalesce(assigned.new_key, CASE WHEN l.assignee_user_id IS NULL THEN meant.new_key END) AS assignee_user_id,
    coalesce(l.created, l.updated) AS created_at,
    coalesce(l.updated, l.created) AS updated_at,
    -- When it was first seen closed is not in legacy any more once it was changed after that: the map knows the time.
    CASE
        WHEN l.new_status = 'closed'
            THEN least((m.last_written ->> 'closed_at')::timestamptz, coalesce(l.updated, l.created))
    END AS closed_at,
    client.new_key AS client_id,
    site.new_key AS site_id
FROM known AS l
CROSS JOIN source AS o
LEFT JOIN map_tickets AS m ON m.legacy_table = 'tickets' AND m.legacy_key = l.id::text
LEFT JOIN map_contacts AS contact
    ON contact.legacy_table = 'derived' AND contact.legacy_key = l.contact_key AND contact.state IN ('live', 'merged')
LEFT JOIN devices AS d ON d.text = l.device_id
LEFT JOIN map_users AS assigned
    ON assigned.legacy_table = 'users' AND assigned.legacy_key = l.assignee_user_id::text AND assigned.state IN ('live', 'merged')
LEFT JOIN map_users AS meant
    ON meant.legacy_table = 'users' AND meant.legacy_key = l.assignee_id::text AND meant.state IN ('live', 'merged')
LEFT JOIN map_clients AS client
    ON client.legacy_table = 'derived' AND client.legacy_key = l.client_form AND client.state IN ('live', 'merged')
LEFT JOIN map_sites AS site
    ON site.legacy_table = 'derived'
    AND site.legacy_key = '[' || to_json(coalesce(l.client_form, 'unassigned'))::text || ',' || to_json(l.site_form)::text || ']'
    AND site.state IN ('live', 'merged')
