SELECT
    p.id AS policy_id,
    p.name AS policy,
    (j.started_at AT TIME ZONE 'UTC')::date AS day,
    count(*) AS jobs,
    count(*) FILTER (WHERE j.status = 'completed') AS completed,
    count(*) FILTER (WHERE j.status = 'failed') AS failed,
    count(*) FILTER (WHERE j.status = 'cancelled') AS cancelled,
    count(*) FILTER (WHERE j.status IN ('pending', 'running')) AS unfinished,
    count(*) FILTER (WHERE j.verified) AS verified,
    sum(j.size_bytes)::bigint AS bytes,
    max(j.duration_sec) AS longest_seconds
FROM {schema}.backup_jobs AS j
JOIN {schema}.backup_policies AS p ON p.id = j.policy_id
GROUP BY p.id, p.name, (j.started_at AT TIME ZONE 'UTC')::date
