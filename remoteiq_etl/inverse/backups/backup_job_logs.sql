-- The logs of backup jobs.
-- keys: backup_job_logs
-- new: EXISTS (SELECT FROM {target}.backup_jobs AS j JOIN {target}.backup_policies AS o ON o.id = j.policy_id WHERE j.id = n.job_id AND o.organization_id = {organization})
-- exact: job_id, log_text
SELECT r.legacy_key AS job_id, t.log_text
FROM {rows} AS r
JOIN {target}.backup_job_logs AS t ON t.job_id = r.new_key
