-- name: user_roles
-- A user of legacy has one role: the first.
SELECT t.user_id::text || ', ' || t.role_id::text
FROM {target}.user_roles AS t
JOIN {target}.users AS u ON u.id = t.user_id AND u.organization_id = {organization}
JOIN {target}.roles AS r ON r.id = t.role_id
WHERE {newer} AND EXISTS (
    SELECT FROM {target}.user_roles AS o
    JOIN {target}.roles AS p ON p.id = o.role_id
    WHERE o.user_id = t.user_id AND (o.assigned_at, p.name) < (t.assigned_at, r.name)
)


-- name: ticket_tags
SELECT t.ticket_id::text || ', ' || t.tag
FROM {target}.ticket_tags AS t
JOIN {target}.tickets AS o ON o.id = t.ticket_id AND o.organization_id = {organization}
WHERE {newer} AND t.tag NOT LIKE 'client:%' AND t.tag NOT LIKE 'site:%'


-- name: contacts
SELECT t.id::text
FROM {target}.contacts AS t
WHERE {newer} AND t.organization_id = {organization}
    AND NOT EXISTS (SELECT FROM {target}.tickets AS o WHERE o.requester_contact_id = t.id)


-- name: clients
SELECT t.id::text
FROM {target}.clients AS t
WHERE {newer} AND t.organization_id = {organization}
    AND NOT EXISTS (SELECT FROM {target}.sites AS s JOIN {target}.devices AS d ON d.site_id = s.id WHERE s.client_id = t.id)


-- name: sites
SELECT t.id::text
FROM {target}.sites AS t
JOIN {target}.clients AS o ON o.id = t.client_id AND o.organization_id = {organization}
WHERE {newer} AND NOT EXISTS (SELECT FROM {target}.devices AS d WHERE d.site_id = t.id)


-- name: check_assignments
SELECT t.id::text
FROM {target}.check_assignments AS t
JOIN {target}.checks AS o ON o.id = t.check_id AND o.organization_id = {organization}
WHERE {newer} AND t.target_type <> 'device'


-- name: email_messages
SELECT t.id::text
FROM {target}.email_messages AS t
JOIN {target}.email_channels AS o ON o.id = t.channel_id AND o.organization_id = {organization}
WHERE {newer} AND t.direction <> 'inbound'


-- name: email_channels
SELECT t.id::text
FROM {target}.email_channels AS t
WHERE {newer} AND t.organization_id = {organization}
    AND NOT EXISTS (SELECT FROM {state}.legacy_email_channels_map AS m WHERE m.new_key = t.id AND m.state = 'live')


-- name: agent_task_runs
SELECT t.id::text
FROM {target}.agent_task_runs AS t
WHERE {newer} AND t.attempt > 1


-- name: devices
SELECT t.id::text
FROM {target}.devices AS t
WHERE {newer} AND t.status IN ('retired', 'decommissioned')


-- name: backup_jobs
SELECT t.id::text
FROM {target}.backup_jobs AS t
JOIN {target}.backup_policies AS o ON o.id = t.policy_id AND o.organization_id = {organization}
WHERE {newer} AND t.status = 'pending'


-- name: user_security
-- What of a second factor is kept as hashes alone.
SELECT t.user_id::text
FROM {target}.user_security AS t
JOIN {target}.users AS o ON o.id = t.user_id AND o.organization_id = {organization}
WHERE {newer} AND coalesce(to_jsonb(t) -> 'recovery_codes', 'null') NOT IN ('null', '[]')
