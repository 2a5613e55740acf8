-- Backup jobs; a job that was running is cancelled in the target.
-- keys: backup_jobs
-- new: EXISTS (SELECT FROM {target}.backup_policies AS o WHERE o.id = n.policy_id AND o.organization_id = {organization})
-- exact: id, started_at, note, size_bytes, duration_sec, verified, artifact_location
-- archive: finished_at, status, targets
-- lost: destination: a secret without a place in the target
-- lost: cancelled: a running job that was about to be cancelled reads as not cancelled
SELECT
    r.legacy_key AS id,
    t.started_at,
    coalesce(t.finished_at, a.finished_at) AS finished_at,
    CASE
        WHEN r.written ->> 'status' = t.status::text AND a.status IS NOT NULL THEN a.status
        WHEN t.status = 'completed' THEN 'success'
        WHEN t.status = 'pending' THEN 'running'
        ELSE t.status::text
    END AS status,
    t.note,
    t.size_bytes,
    t.duration_sec,
    t.verified,
    a.targets,
    NULL AS destination,
    t.artifact_location,
    CASE WHEN r.written ->> 'status' = t.status::text AND a.status IS NOT NULL THEN false ELSE t.cancelled END AS cancelled
FROM {rows} AS r
JOIN {target}.backup_jobs AS t ON t.id = r.new_key
{archived}
