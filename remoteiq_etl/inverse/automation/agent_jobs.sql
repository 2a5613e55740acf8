-- Tasks that were rows of the older agent_jobs. What the new application makes appears as jobs.
-- keys: agent_tasks
-- exact: id, agent_id, kind, status, result, created_at, updated_at
-- lost: payload: one that is no object is kept under the key value, as an object of that one key is
SELECT
    r.legacy_key AS id,
    ag.legacy_key AS agent_id,
    t.payload ->> 'legacyType' AS kind,
    CASE
        WHEN p.restored - 'value' = '{{}}' AND p.restored ? 'value' AND jsonb_typeof(p.restored -> 'value') <> 'object'
            THEN p.restored -> 'value'
        ELSE p.restored
    END AS payload,
    CASE WHEN r.written ->> 'status' = t.status::text THEN t.payload ->> 'legacyStatus' ELSE t.status::text END AS status,
    (SELECT run.output FROM {target}.agent_task_runs AS run WHERE run.task_id = t.id ORDER BY run.attempt, run.id LIMIT 1) AS result,
    t.created_at,
    t.updated_at
FROM {rows} AS r
JOIN {target}.agent_tasks AS t ON t.id = r.new_key
LEFT JOIN {views}.agent_keys AS ag ON ag.agent_id = t.agent_id
CROSS JOIN LATERAL (
    SELECT
        t.payload - ARRAY['legacyType', 'legacyStatus', 'legacyValues']
        || coalesce(
            (
                SELECT jsonb_object_agg(v.key, v.value)
                FROM jsonb_each(CASE jsonb_typeof(t.payload -> 'legacyValues') WHEN 'object' THEN t.payload -> 'legacyValues' END) AS v
                WHERE v.key IN ('legacyType', 'legacyStatus')
            ),
            '{{}}'
        ) AS restored
) AS p
