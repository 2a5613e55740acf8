-- The manifests of backup jobs.
-- keys: backup_job_manifests
-- new: EXISTS (SELECT FROM {target}.backup_jobs AS j JOIN {target}.backup_policies AS o ON o.id = j.policy_id WHERE j.id = n.job_id AND o.organization_id = {organization})
-- exact: job_id, manifest
SELECT r.legacy_key AS job_id, t.manifest
FROM {rows} AS r
JOIN {target}.backup_job_manifests AS t ON t.job_id = r.new_key
