-- Tickets by their legacy numbers, with requester, client and site as texts.
-- keys: tickets
-- new: n.organization_id = {organization}
-- exact: id, number, title, description, created_at, updated_at
-- lost: status: a word in other letters than the target's reads as that
-- lost: priority: a word in other letters than the target's reads as that
-- lost: device_id: a blank one reads as null
-- lost: requester_name: a missing one reads as the contact's
-- lost: requester_email: a blank one reads as null
-- lost: assignee_id: one that is also, or instead, the assignee_user_id is not told from it
-- lost: assignee_user_id: one who is known by assignee_id alone reads as both
-- lost: client: a missing one reads as that of the device, a blank one as the customer's
-- lost: site: a missing one reads as that of the device
-- lost: customer_id: one that only repeats the client reads as null
-- lost: customer_uuid: a missing one reads as that of the client
SELECT
    r.legacy_key AS id,
    coalesce((r.decision ->> 'legacy_number')::bigint, t.ticket_number) AS number,
    t.subject AS title,
    t.description,
    CASE WHEN r.written ->> 'status' IS DISTINCT FROM t.status::text THEN t.status::text ELSE coalesce(a.status, t.status::text) END AS status,
    CASE WHEN r.written ->> 'priority' IS DISTINCT FROM t.priority::text THEN t.priority::text
        ELSE coalesce(a.priority, t.priority::text) END AS priority,
    CASE WHEN w.same_requester THEN coalesce(a.requester_name, q.name) ELSE q.name END AS requester_name,
    CASE WHEN w.same_requester THEN coalesce(a.requester_email, q.email::text) ELSE q.email::text END AS requester_email,
    coalesce(a.assignee_id, u.legacy_key::uuid, t.assignee_user_id) AS assignee_id,
    coalesce(g.client, CASE WHEN cm.last_written ->> 'name' IS NOT DISTINCT FROM c.name THEN a.client END, c.name) AS client,
    coalesce(g.site, CASE WHEN sm.last_written ->> 'name' IS NOT DISTINCT FROM s.name THEN a.site END, s.name) AS site,
    CASE WHEN (r.written ->> 'device_id')::uuid IS NOT DISTINCT FROM t.device_id
        THEN coalesce(a.device_id, d.legacy_key::text, t.device_id::text)
        ELSE coalesce(d.legacy_key::text, t.device_id::text) END AS device_id,
    t.created_at,
    t.updated_at,
    a.customer_id,
    a.customer_uuid,
    CASE WHEN (r.written ->> 'assignee_user_id')::uuid IS NOT DISTINCT FROM t.assignee_user_id
        THEN coalesce(a.assignee_user_id, u.legacy_key::uuid, t.assignee_user_id)
        ELSE coalesce(u.legacy_key::uuid, t.assignee_user_id) END AS assignee_user_id
FROM {rows} AS r
JOIN {target}.tickets AS t ON t.id = r.new_key
LEFT JOIN {target}.contacts AS q ON q.id = t.requester_contact_id
LEFT JOIN {target}.devices AS dev ON dev.id = t.device_id
LEFT JOIN {target}.sites AS s ON s.id = dev.site_id
LEFT JOIN {target}.clients AS c ON c.id = s.client_id
LEFT JOIN {state}.legacy_clients_map AS cm ON cm.source_id = {source} AND cm.state = 'live' AND cm.new_key = c.id
LEFT JOIN {state}.legacy_sites_map AS sm ON sm.source_id = {source} AND sm.state = 'live' AND sm.new_key = s.id
LEFT JOIN {state}.legacy_users_map AS u
    ON u.source_id = {source} AND u.legacy_table = 'users' AND u.state = 'live' AND u.new_key = t.assignee_user_id
LEFT JOIN {state}.legacy_devices_map AS d
    ON d.source_id = {source} AND d.legacy_table = 'devices' AND d.state = 'live' AND d.new_key = t.device_id
{archived}
CROSS JOIN LATERAL (
    SELECT (r.written ->> 'requester_contact_id')::uuid IS NOT DISTINCT FROM t.requester_contact_id AS same_requester
) AS w
CROSS JOIN LATERAL (
    SELECT
        max(substr(tag.tag, 8)) FILTER (WHERE tag.tag LIKE 'client:%') AS client,
        max(substr(tag.tag, 6)) FILTER (WHERE tag.tag LIKE 'site:%') AS site
    FROM {target}.ticket_tags AS tag
    WHERE tag.ticket_id = t.id
) AS g
