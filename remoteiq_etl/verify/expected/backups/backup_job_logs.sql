-- rows: backup_job_logs
-- reads: backup_jobs(id, started_at, finished_at)
-- each row: backup_jobs by job_id
-- carried from backup_job_logs: log_text
WITH jobs AS (
    SELECT
        j.id,
        j.started_at AS start,
        j.finished_at AS finish
    FROM legacy_backup_jobs AS j
)

SELECT
    'backup_job_logs' AS _legacy_table,
    l.job_id AS _legacy_key,
    p.new_key AS job_id,
    l.log_text,
    coalesce(j.start, j.finish) AS created_at,
    coalesce(j.finish, j.start) AS updated_at
FROM legacy_backup_job_logs AS l
LEFT JOIN jobs AS j ON j.id = l.job_id
LEFT JOIN map_backup_jobs AS p
    ON p.legacy_table = 'backup_jobs' AND p.legacy_key = l.job_id::text AND p.state IN ('live', 'merged')
