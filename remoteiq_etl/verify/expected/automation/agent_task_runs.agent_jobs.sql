-- covers: agent_jobs
-- rows: agent_jobs
-- reads: agents(id, created_at)
-- each row: agents by agent_id
WITH texts AS MATERIALIZED (
    SELECT t.status AS text, pg_temp.normalised(t.status) AS word
    FROM (SELECT DISTINCT status FROM legacy_agent_jobs) AS t
),

known AS (
    SELECT
        l.id,
        l.result,
        state.word AS status_word,
        l.created_at,
        l.updated_at,
        a.created_at AS agent_created_at
    FROM legacy_agent_jobs AS l
    LEFT JOIN legacy_agents AS a ON a.id = l.agent_id
    LEFT JOIN texts AS state ON state.text = l.status
)

SELECT
    'agent_jobs' AS _legacy_table,
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
    coalesce(l.created_at, l.updated_at, l.agent_created_at) AS started_at,
    CASE
        WHEN NOT coalesce(w.label IN ('pending', 'queued', 'running'), l.status_word IN ('queued', 'pending', 'dispatched', 'running'))
            THEN l.updated_at
    END AS finished_at,
    l.result AS output,
    coalesce(l.created_at, l.updated_at, l.agent_created_at) AS created_at
FROM known AS l
LEFT JOIN added_word AS w ON w.value_map = 'agent_tasks.status' AND pg_temp.normalised(w.word) = l.status_word
LEFT JOIN map_agent_task_runs AS m ON m.legacy_table = 'agent_jobs' AND m.legacy_key = l.id::text
LEFT JOIN map_agent_tasks AS t
    ON t.legacy_table = 'agent_jobs' AND t.legacy_key = l.id::text AND t.state IN ('live', 'merged')
WHERE
    l.result IS NOT NULL
    OR l.status_word NOT IN ('queued', 'pending', 'cancelled', 'canceled')
