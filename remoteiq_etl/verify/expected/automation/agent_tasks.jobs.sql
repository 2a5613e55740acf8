-- covers: jobs
-- rows: jobs
-- reads: agents(id, created_at)
-- each row: agents by agent_id
-- not compared: created_by: no legacy source, nobody was recorded
WITH texts AS MATERIALIZED (
    SELECT t.text, pg_temp.normalised(t.text) AS word
    FROM (SELECT type FROM legacy_jobs UNION SELECT status FROM legacy_jobs) AS t (text)
),

known AS (
    SELECT
        l.id,
        l.agent_id,
        l.type,
        l.status,
        CASE
            WHEN jsonb_typeof(l.payload) = 'object' THEN l.payload
            WHEN jsonb_typeof(l.payload) <> 'null' THEN jsonb_build_object('value', l.payload)
            ELSE '{}'::jsonb
        END AS payload,
        l.created_at,
        l.dispatched_at,
        l.started_at,
        l.finished_at,
        a.created_at AS agent_created_at,
        kind.word AS type_word,
        state.word AS status_word
    FROM legacy_jobs AS l
    LEFT JOIN legacy_agents AS a ON a.id = l.agent_id
    LEFT JOIN texts AS kind ON kind.text = l.type
    LEFT JOIN texts AS state ON state.text = l.status
),

mapped AS (
    SELECT
        k.*,
        coalesce(
            kind.label,
            further.label,
            CASE
                WHEN k.type_word = 'run_script' THEN 'script'
                WHEN k.type_word IN ('uninstall_software', 'file_op') THEN 'command'
                WHEN k.type_word LIKE '%patch%' OR k.type_word LIKE '%update%' THEN 'update'
                WHEN k.type_word LIKE '%policy%' THEN 'policy'
                ELSE 'command'
            END
        ) AS new_type,
        coalesce(
            CASE WHEN state.label IN ('pending', 'queued', 'running') THEN 'cancelled' ELSE state.label END,
            CASE
                WHEN k.status_word IN ('succeeded', 'success', 'completed') THEN 'succeeded'
                WHEN k.status_word IN ('failed', 'error', 'timeout') THEN 'failed'
                WHEN k.status_word IN ('cancelled', 'canceled') THEN 'cancelled'
                WHEN k.status_word IN ('queued', 'pending', 'dispatched', 'running') THEN 'cancelled'
            END
        ) AS new_status,
        jsonb_strip_nulls(
            jsonb_build_object(
                'legacyType', k.type,
                'legacyStatus', k.status,
                'legacyDispatchedAt',
                replace(to_char(k.dispatched_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'), '.000000', '')
            )
        ) AS added
    FROM known AS k
    LEFT JOIN added_word AS kind
        ON kind.value_map = 'agent_tasks.type' AND pg_temp.normalised(kind.word) = k.type_word
    LEFT JOIN further_label AS further
        ON further.table_name = 'agent_tasks' AND further.column_name = 'type' AND pg_temp.normalised(further.label) = k.type_word
    LEFT JOIN added_word AS state
        ON state.value_map = 'agent_tasks.status' AND pg_temp.normalised(state.word) = k.status_word
),

displaced AS (
    SELECT
        d.*,
        CASE WHEN d.payload -> 'legacyType' <> d.added -> 'legacyType'
            THEN jsonb_build_object('legacyType', d.payload -> 'legacyType') ELSE '{}'::jsonb END
        || CASE WHEN d.payload -> 'legacyStatus' <> d.added -> 'legacyStatus'
            THEN jsonb_build_object('legacyStatus', d.payload -> 'legacyStatus') ELSE '{}'::jsonb END
        || CASE WHEN d.payload -> 'legacyDispatchedAt' <> d.added -> 'legacyDispatchedAt'
            THEN jsonb_build_object('legacyDispatchedAt', d.payload -> 'legacyDispatchedAt') ELSE '{}'::jsonb END
        AS legacy_values
    FROM mapped AS d
)

SELECT
    'jobs' AS _legacy_table,
    l.id AS _legacy_key,
    m.new_key AS id,
    a.new_key AS agent_id,
    l.new_type AS type,
    CASE
        WHEN l.legacy_values = '{}'::jsonb THEN l.payload || l.added
        WHEN jsonb_typeof(l.payload -> 'legacyValues') = 'object'
            THEN l.payload || l.added || jsonb_build_object('legacyValues', l.payload -> 'legacyValues' || l.legacy_values)
        WHEN jsonb_typeof(l.payload -> 'legacyValues') <> 'null'
            THEN l.payload || l.added
                || jsonb_build_object('legacyValues', jsonb_build_object('value', l.payload -> 'legacyValues') || l.legacy_values)
        ELSE l.payload || l.added || jsonb_build_object('legacyValues', l.legacy_values)
    END AS payload,
    l.new_status AS status,
    coalesce(l.created_at, least(l.dispatched_at, l.started_at, l.finished_at), l.agent_created_at) AS queued_at,
    coalesce(l.started_at, l.dispatched_at) AS started_at,
    l.finished_at AS completed_at,
    coalesce(l.created_at, least(l.dispatched_at, l.started_at, l.finished_at), l.agent_created_at) AS created_at,
    coalesce(greatest(l.created_at, l.dispatched_at, l.started_at, l.finished_at), l.agent_created_at) AS updated_at
FROM displaced AS l
LEFT JOIN map_agent_tasks AS m ON m.legacy_table = 'jobs' AND m.legacy_key = l.id::text
LEFT JOIN map_agents AS a
    ON a.legacy_table = 'agents' AND a.legacy_key = l.agent_id::text AND a.state IN ('live', 'merged')
