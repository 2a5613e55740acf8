-- Restores; one that was running is cancelled in the target. That it ended only the archive knows.
-- keys: backup_restores
-- new: EXISTS (SELECT FROM {target}.backup_jobs AS j JOIN {target}.backup_policies AS o ON o.id = j.policy_id WHERE j.id = n.backup_job_id AND o.organization_id = {organization})
-- exact: id, backup_id, requested_at, note
-- archive: finished_at, status
SELECT
    r.legacy_key AS id,
    coalesce(j.legacy_key::uuid, t.backup_job_id) AS backup_id,
    t.requested_at,
    a.finished_at,
    CASE
        WHEN r.written ->> 'status' = t.status::text AND a.status IS NOT NULL THEN a.status
        WHEN t.status = 'completed' THEN 'success'
        WHEN t.status = 'pending' THEN 'running'
        WHEN t.status = 'cancelled' THEN 'failed'
        ELSE t.status::text
    END AS status,
    t.notes AS note
FROM {rows} AS r
JOIN {target}.backup_restores AS t ON t.id = r.new_key
LEFT JOIN {state}.legacy_backup_jobs_map AS j
    ON j.source_id = {source} AND j.legacy_table = 'backup_jobs' AND j.state = 'live' AND j.new_key = t.backup_job_id
{archived}
