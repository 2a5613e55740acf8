SELECT
    d.id AS device_id,
    c.id AS client_id,
    c.name AS client,
    s.id AS site_id,
    s.name AS site,
    d.hostname,
    d.operating_system,
    d.architecture,
    d.status::text AS status,
    d.primary_user,
    a.version AS agent_version,
    greatest(d.last_seen_at, a.last_check_in_at) AS last_contact_at,
    extract(epoch FROM now() - greatest(d.last_seen_at, a.last_check_in_at))::bigint AS silent_seconds
FROM {schema}.devices AS d
LEFT JOIN {schema}.sites AS s ON s.id = d.site_id
LEFT JOIN {schema}.clients AS c ON c.id = s.client_id
LEFT JOIN LATERAL (
    SELECT g.version, g.last_check_in_at FROM {schema}.agents AS g
    WHERE g.device_id = d.id
    ORDER BY g.last_check_in_at DESC NULLS LAST, g.id
    LIMIT 1
) AS a ON true
