-- Tasks that were jobs, or that the new application made. What has no column stands in the payload, beside what it displaced.
-- keys: agent_tasks
-- new: EXISTS (SELECT FROM {views}.agent_keys AS o WHERE o.agent_id = n.agent_id)
-- exact: id, agent_id, type, status, dispatched_at, finished_at
-- lost: payload: null reads as an empty object, an object of the one key value as that value
-- lost: created_at: a missing one is filled
-- lost: started_at: a job that was started in the very moment of its dispatch reads as not started
-- lost: agent_uuid: a missing one reads as that of the agent
SELECT
    r.legacy_key AS id,
    ag.legacy_key AS agent_id,
    coalesce(t.payload ->> 'legacyType', t.type::text) AS type,
    CASE
        WHEN p.restored - 'value' = '{{}}' AND p.restored ? 'value' AND jsonb_typeof(p.restored -> 'value') <> 'object'
            THEN p.restored -> 'value'
        ELSE p.restored
    END AS payload,
    CASE WHEN r.written ->> 'status' = t.status::text THEN coalesce(t.payload ->> 'legacyStatus', t.status::text)
        ELSE t.status::text END AS status,
    t.created_at,
    d.dispatched_at,
    CASE WHEN d.dispatched_at IS DISTINCT FROM t.started_at THEN t.started_at END AS started_at,
    t.completed_at AS finished_at,
    coalesce(a.agent_uuid, agent.agent_uuid) AS agent_uuid
FROM {rows} AS r
JOIN {target}.agent_tasks AS t ON t.id = r.new_key
LEFT JOIN {target}.agents AS agent ON agent.id = t.agent_id
LEFT JOIN {views}.agent_keys AS ag ON ag.agent_id = t.agent_id
{archived}
CROSS JOIN LATERAL (
    SELECT
        t.payload - ARRAY['legacyType', 'legacyStatus', 'legacyDispatchedAt', 'legacyValues']
        || coalesce(
            (
                SELECT jsonb_object_agg(v.key, v.value)
                FROM jsonb_each(CASE jsonb_typeof(t.payload -> 'legacyValues') WHEN 'object' THEN t.payload -> 'legacyValues' END) AS v
                WHERE v.key IN ('legacyType', 'legacyStatus', 'legacyDispatchedAt')
            ),
            '{{}}'
        ) AS restored
) AS p
CROSS JOIN LATERAL (
    SELECT CASE WHEN r.archive_key IS NOT NULL THEN (t.payload ->> 'legacyDispatchedAt')::timestamptz END AS dispatched_at
) AS d
