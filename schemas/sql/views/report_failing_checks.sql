SELECT
    d.id AS device_id,
    d.hostname,
    c.name AS client,
    s.name AS site,
    k.name AS check_name,
    k.type::text AS check_type,
    r.status::text AS status,
    r.severity::text AS severity,
    r.started_at AS last_run_at,
    r.output,
    a.id AS assignment_id,
    r.id AS run_id
FROM {schema}.check_assignments AS a
JOIN {schema}.devices AS d ON d.id = a.target_id
JOIN {schema}.checks AS k ON k.id = a.check_id
CROSS JOIN LATERAL (
    SELECT w.id, w.status, w.severity, w.started_at, w.output FROM {schema}.check_runs AS w
    WHERE w.assignment_id = a.id
    ORDER BY w.started_at DESC
    LIMIT 1
) AS r
LEFT JOIN {schema}.sites AS s ON s.id = d.site_id
LEFT JOIN {schema}.clients AS c ON c.id = s.client_id
WHERE a.target_type = 'device' AND r.status IN ('failed', 'warning')
