-- rows: job_results
-- reads: jobs(id, agent_id, created_at, dispatched_at, started_at, finished_at), agents(id, created_at)
-- each row: jobs by job_id, agents by jobs.agent_id
-- not compared: artifacts: no legacy source, results of the legacy application named no artifacts
SELECT
    'job_results' AS _legacy_table,
    l.job_id AS _legacy_key,
    r.new_key AS run_id,
    l.stdout,
    l.stderr,
    coalesce(
        j.finished_at,
        j.created_at,
        least(
            j.started_at,
            j.dispatched_at
        ),
        a.created_at
    ) AS created_at
FROM legacy_job_results AS l
LEFT JOIN legacy_jobs AS j ON j.id = l.job_id
LEFT JOIN legacy_agents AS a ON a.id = j.agent_id
LEFT JOIN map_agent_task_runs AS r
    ON r.legacy_table = 'jobs' AND r.legacy_key = l.job_id::text AND r.state IN ('live', 'merged')
