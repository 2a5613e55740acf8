-- covers: agent_jobs
-- rows: agent_jobs
-- reads: agents(id, created_at)
-- each row: agents by agent_id
-- not compared: created_by: no legacy source, nobody was recorded
WITH texts AS MATERIALIZED (
    SELECT t.text, pg_temp.normalised(t.text) AS word
    FROM (SELECT kind FROM legacy_agent_jobs UNION SELECT status FROM legacy_agent_jobs) AS t (text)
),

known AS (
    SELECT
        l.id,
        l.agent_id,
        l.kind,
        l.status,
        CASE
            WHEN jsonb_typeof(l.payload) = 'object' THEN l.payload
            WHEN jsonb_typeof(l.payload) <> 'null' THEN jsonb_build_object('value', l.payload)
            ELSE '{}'::jsonb
        END AS payload,
        l.created_at,
        l.updated_at,
        a.created_at AS agent_created_at,
        kind.word AS kind_word,
        state.word AS status_word
    FROM legacy_agent_jobs AS l
    LEFT JOIN legacy_agents AS a ON a.id = l.agent_id
    LEFT JOIN texts AS kind ON kind.text = l.kind
    LEFT JOIN texts AS state ON state.text = l.status
),

mapped AS (
    SELECT
        k.*,
        coalesce(
            kind.label,
            further.label,
            CASE
                WHEN k.kind_word = 'run_script' THEN 'script'
                WHEN k.kind_word IN ('uninstall_software', 'file_op') THEN 'command'
                WHEN k.kind_word LIKE '%patch%' OR k.kind_word LIKE '%update%' THEN 'update'
                WHEN k.kind_word LIKE '%policy%' THEN 'policy'
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
        coalesce(state.label IN ('pending', 'queued', 'running'), k.status_word IN ('queued', 'pending', 'dispatched', 'running')) AS in_flight,
        jsonb_build_object('legacyType', k.kind, 'legacyStatus', k.status) AS added
    FROM known AS k
    LEFT JOIN added_word AS kind
        ON kind.value_map = 'agent_tasks.type' AND pg_temp.normalised(kind.word) = k.kind_word
    LEFT JOIN further_label AS further
        ON further.table_name = 'agent_tasks' AND further.column_name = 'type' AND pg_temp.normalised(further.label) = k.kind_word
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
        AS legacy_values
    FROM mapped AS d
)

SELECT
    'agent_jobs' AS _legacy_table,
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
    coalesce(l.created_at, l.updated_at, l.agent_created_at) AS queued_at,
    NULL AS started_at,
    CASE WHEN NOT l.in_flight THEN l.updated_at END AS completed_at,
    coalesce(l.created_at, l.updated_at, l.agent_created_at) AS created_at,
    coalesce(l.updated_at, l.created_at, l.agent_created_at) AS updated_at
FROM displaced AS l
LEFT JOIN map_agent_tasks AS m ON m.legacy_table = 'agent_jobs' AND m.legacy_key = l.id::text
LEFT JOIN map_agents AS a
    ON a.legacy_table = 'agents' AND a.legacy_key = l.agent_id::text AND a.state IN ('live', 'merged')
