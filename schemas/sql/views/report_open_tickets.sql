SELECT
    t.id AS ticket_id,
    t.ticket_number,
    t.subject,
    t.status::text AS status,
    t.priority::text AS priority,
    c.id AS client_id,
    c.name AS client,
    s.name AS site,
    d.hostname,
    r.name AS requester,
    nullif(btrim(concat_ws(' ', u.first_name, u.last_name)), '') AS assignee,
    t.created_at,
    t.updated_at,
    extract(day FROM now() - t.created_at)::integer AS age_days,
    CASE
        WHEN t.created_at > now() - interval '1 day' THEN '1: a day'
        WHEN t.created_at > now() - interval '7 days' THEN '2: a week'
        WHEN t.created_at > now() - interval '30 days' THEN '3: a month'
        ELSE '4: older'
    END AS age
FROM {schema}.tickets AS t
LEFT JOIN {schema}.devices AS d ON d.id = t.device_id
LEFT JOIN {schema}.sites AS s ON s.id = d.site_id
LEFT JOIN {schema}.clients AS c ON c.id = s.client_id
LEFT JOIN {schema}.contacts AS r ON r.id = t.requester_contact_id
LEFT JOIN {schema}.users AS u ON u.id = t.assignee_user_id
WHERE t.status IN ('open', 'pending')
