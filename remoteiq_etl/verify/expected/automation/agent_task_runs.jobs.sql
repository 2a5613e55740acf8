-- covers: jobs
-- rows: jobs
-- reads: job_results(job_id, exit_code, duration_ms), agents(id, created_at)
-- each row: job_results by id, agents by agent_id
WITH texts AS MATERIALIZED (
    SELECT t.status AS text, pg_temp.normalised(t.status) AS word
    FROM (SELECT DISTINCT status FROM legacy_jobs) AS t
),

known AS (
    SELECT
        l.id,
        state.word AS status_word,
        l.created_at,
        l.dispatched_at,
        l.started_at,
        l.finished_at,
        a.created_at AS agent_created_at,
        r.job_id IS NOT NULL AS has_result,
        r.exit_code,
        r.duration_ms
    FROM legacy_jobs AS l
    LEFT JOIN legacy_agents AS a ON a.id = l.agent_id
    LEFT JOIN legacy_job_results AS r ON r.job_id = l.id
    LEFT JOIN texts AS state ON state.text = l.status
)

SELECT
    'jobs' AS _legacy_table,
    l.id AS _legacy_key,
    m.new_key AS id,
    t.new_key AS task_id,
    1 AS attempt,
    coalesce(
        CASE WHEN w.label IN ('pending', 'queued', 'running') THEN 'cancelled' ELSE w.label END,
        CASE
            WHEN l.status_word IN ('succeeded', 'success', 'completed') THEN 'succeeded'
            WHEN l.status_word IN ('failed', 'error', 'timeout') THEN 'failed'
            WHEN l.status_word IN ('cancelled', 'canceled') THEN 'cancelled'
            WHEN l.status_word IN ('queued', 'pending', 'dispatched', 'running') THEN 'cancelled'
        END
    ) AS status,
    coalesce(l.started_at, l.dispatched_at, l.created_at, l.finished_at, l.agent_created_at) AS started_at,
    l.finished_at,
    CASE
        WHEN l.has_result OR l.status_word = 'timeout' THEN jsonb_strip_nulls(
            jsonb_build_object(
                'exitCode', l.exit_code, 'durationMs', l.duration_ms, 'timedOut', l.status_word = 'timeout'
            )
        )
    END AS output,
    coalesce(l.started_at, l.dispatched_at, l.created_at, l.finished_at, l.agent_created_at) AS created_at
FROM known AS l
LEFT JOIN added_word AS w ON w.value_map = 'agent_tasks.status' AND pg_temp.normalised(w.word) = l.status_word
LEFT JOIN map_agent_task_runs AS m ON m.legacy_table = 'jobs' AND m.legacy_key = l.id::text
LEFT JOIN map_agent_tasks AS t ON t.legacy_table = 'jobs' AND t.legacy_key = l.id::text AND t.state IN ('live', 'merged')
WHERE
    l.dispatched_at IS NOT NULL
    OR l.started_at IS NOT NULL
    OR l.finished_at IS NOT NULL
    OR l.has_result
    OR l.status_word NOT IN ('queued', 'pending', 'cancelled', 'canceled')
