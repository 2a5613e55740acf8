-- Results of jobs: texts of the result, figures of its run.
-- keys: agent_task_results
-- exact: job_id, exit_code, stdout, stderr, duration_ms
SELECT
    r.legacy_key AS job_id,
    (run.output ->> 'exitCode')::integer AS exit_code,
    t.stdout,
    t.stderr,
    (run.output ->> 'durationMs')::integer AS duration_ms
FROM {rows} AS r
JOIN {target}.agent_task_results AS t ON t.run_id = r.new_key
JOIN {target}.agent_task_runs AS run ON run.id = t.run_id
UNION ALL
-- Of a task the first result that the new application wrote: legacy had one.
SELECT DISTINCT ON (run.task_id) run.task_id, NULL::integer, n.stdout, n.stderr, NULL::integer
FROM {target}.agent_task_results AS n
JOIN {target}.agent_task_runs AS run ON run.id = n.run_id
JOIN {target}.agent_tasks AS task ON task.id = run.task_id
JOIN {views}.agent_keys AS ag ON ag.agent_id = task.agent_id
WHERE
    NOT EXISTS (SELECT FROM {state}.legacy_agent_task_results_map AS m WHERE m.new_key = n.run_id AND m.state = 'live')
    AND NOT EXISTS (SELECT FROM {state}.legacy_agent_task_runs_map AS m WHERE m.new_key = run.id AND m.state = 'live')
