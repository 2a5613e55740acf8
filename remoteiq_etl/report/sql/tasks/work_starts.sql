-- Work that is not finished: the application takes it up as soon as it runs.
SELECT 'agent_tasks ' || id::text AS key FROM {agent_tasks} WHERE status::text IN ('queued', 'pending', 'dispatched', 'running')
UNION ALL
SELECT 'backup_jobs ' || id::text FROM {backup_jobs} WHERE status::text IN ('pending', 'running')
