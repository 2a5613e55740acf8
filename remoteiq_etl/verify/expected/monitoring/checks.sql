-- covers: checks
-- reads: checks
-- each row: checks
-- carried from checks: description
WITH words AS MATERIALIZED (
    SELECT
        w.type,
        coalesce(
            a.label,
            CASE
                WHEN w.word IN ('ping', 'port') THEN 'ping'
                WHEN w.word IN ('service', 'rdp', 'smb', 'firewall') THEN 'service'
                WHEN w.word = 'process' THEN 'process'
                WHEN w.word IN ('cpu', 'memory', 'disk', 'smart') THEN 'metric'
                ELSE 'script'
            END
        ) AS label
    FROM (SELECT DISTINCT type, pg_temp.normalised(type) AS word FROM legacy_checks) AS w
    LEFT JOIN added_word AS a ON a.value_map = 'checks.type' AND pg_temp.normalised(a.word) = w.word
),

told AS (
    SELECT
        id,
        CASE coalesce(jsonb_typeof(config), 'null')
            WHEN 'object' THEN config
            WHEN 'null' THEN '{}'
            ELSE jsonb_build_object('value', config)
        END AS config,
        -- A null within a threshold is part of it, so nulls are stripped before it comes in.
        jsonb_strip_nulls(
            jsonb_build_object(
                'severityDefault', severity_default,
                'intervalSec', interval_sec,
                'timeoutSec', timeout_sec,
                'enabled', enabled,
                'scope', scope,
                'legacyType', type
            )
        ) || CASE
            WHEN coalesce(jsonb_typeof(threshold), 'null') = 'null' THEN '{}'
            ELSE jsonb_build_object('threshold', threshold)
        END AS added
    FROM legacy_checks
),

displaced AS (
    SELECT t.id, jsonb_object_agg(ours.key, t.config -> ours.key) AS config
    FROM told AS t
    CROSS JOIN jsonb_each(t.added) AS ours
    WHERE t.config ? ours.key AND t.config -> ours.key <> ours.value
    GROUP BY t.id
),

configured AS (
    SELECT
        t.id,
        t.config || t.added || CASE
            WHEN d.id IS NULL THEN '{}'
            ELSE jsonb_build_object(
                'legacyValues',
                CASE coalesce(jsonb_typeof(t.config -> 'legacyValues'), 'null')
                    WHEN 'object' THEN t.config -> 'legacyValues'
                    WHEN 'null' THEN '{}'
                    ELSE jsonb_build_object('value', t.config -> 'legacyValues')
                END || d.config
            )
        END AS config
    FROM told AS t
    LEFT JOIN displaced AS d ON d.id = t.id
)

SELECT
    'checks' AS _legacy_table,
    l.id AS _legacy_key,
    m.new_key AS id,
    source.organization_id::uuid AS organization_id,
    -- Which names were free is a decision; that the name is the legacy one, or that with its type, is none.
    CASE
        WHEN m.decision ->> 'name' = l.name || ' (' || pg_temp.raised(coalesce(pg_temp.tidy(l.type), 'script')) || ')' THEN m.decision ->> 'name'
        WHEN starts_with(m.decision ->> 'name', l.name || ' (' || pg_temp.raised(coalesce(pg_temp.tidy(l.type), 'script')) || ' ') THEN m.decision ->> 'name'
        ELSE l.name
    END AS name,
    w.label AS type,
    l.category,
    l.description,
    '@every ' || l.interval_sec || 's' AS schedule,
    c.config,
    u.new_key AS created_by,
    coalesce(l.created_at, l.updated_at) AS created_at,
    coalesce(l.updated_at, l.created_at) AS updated_at
FROM legacy_checks AS l
CROSS JOIN source
LEFT JOIN words AS w ON w.type = l.type
JOIN configured AS c ON c.id = l.id
LEFT JOIN map_checks AS m ON m.legacy_table = 'checks' AND m.legacy_key = l.id::text
LEFT JOIN map_users AS u ON u.legacy_table = 'users' AND u.legacy_key::text = l.created_by::text AND u.state = 'live'
