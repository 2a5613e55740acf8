-- rows: check_runs
-- reads: check_assignments(id, device_id, check_type, check_name, created_at, updated_at), checks(id, severity_default, created_at, updated_at)
-- carried from check_runs: output, finished_at

-- once: pairs
SELECT
    check_type,
    check_name,
    '[' || to_json(coalesce(pg_temp.normalised(check_type), ''))::text || ',' || to_json(
        pg_temp.normalised(coalesce(pg_temp.tidy(check_name), pg_temp.tidy(check_type), 'Agent Check'))
    )::text || ']' AS key
FROM (
    SELECT DISTINCT coalesce(check_type, '') AS check_type, coalesce(check_name, '') AS check_name
    FROM legacy_check_assignments
) AS p

-- once: meant
SELECT
    p.check_type,
    p.check_name,
    coalesce(c.created_at, c.updated_at) AS created_at,
    CASE pg_temp.normalised(c.severity_default) WHEN 'crit' THEN 'critical' WHEN 'warn' THEN 'medium' END AS severity
FROM pairs AS p
LEFT JOIN map_checks AS m ON m.legacy_table = 'assignment' AND m.legacy_key = p.key
LEFT JOIN legacy_checks AS c ON c.id::text = m.decision ->> 'check'

-- once: texts
-- What the texts mean that name a device, where that device was migrated.
SELECT t.legacy_key AS text, t.new_key
FROM map_devices AS t
JOIN map_devices AS d ON d.new_key = t.new_key AND d.state = 'live'
WHERE t.legacy_table = 'device_text'

-- once: assignments
SELECT
    l.id,
    m.new_key,
    d.new_key AS device,
    p.severity,
    coalesce(l.created_at, l.updated_at, p.created_at) AS created_at
FROM legacy_check_assignments AS l
JOIN meant AS p
    ON p.check_type = coalesce(l.check_type, '') AND p.check_name = coalesce(l.check_name, '')
LEFT JOIN map_check_assignments AS m
    ON m.legacy_table = 'check_assignments' AND m.legacy_key = l.id::text
LEFT JOIN texts AS d ON d.text = l.device_id
UNION ALL
-- Gone from legacy, but the map knows where it went.
SELECT m.legacy_key::uuid, m.new_key, NULL, NULL, NULL
FROM map_check_assignments AS m
WHERE
    m.legacy_table = 'check_assignments'
    AND NOT EXISTS (SELECT FROM legacy_check_assignments AS l WHERE l.id::text = m.legacy_key)

-- once: stand_ins
-- What stands in on a device for runs without an assignment.
SELECT k.legacy_key::uuid AS device, k.new_key, a.severity, a.created_at
FROM map_check_assignments AS k
LEFT JOIN assignments AS a ON a.id::text = k.decision ->> 'assignment'
WHERE k.legacy_table = 'device'

-- each range:
WITH statuses AS MATERIALIZED (
    SELECT
        s.status,
        coalesce(
            w.label,
            CASE
                WHEN s.word IN ('ok', 'pass', 'passing') THEN 'passed'
                WHEN s.word IN ('warn', 'warning', 'unknown') THEN 'warning'
                WHEN s.word IN ('crit', 'error', 'fail', 'failing', 'timeout') THEN 'failed'
                WHEN s.word = 'muted' THEN 'muted'
            END
        ) AS label,
        CASE WHEN s.word IN ('unknown', 'crit', 'error', 'timeout') THEN s.status END AS lossy
    FROM (
        SELECT status, pg_temp.normalised(status) AS word FROM (SELECT DISTINCT status FROM legacy_check_runs) AS d
    ) AS s
    LEFT JOIN added_word AS w ON w.value_map = 'check_runs.status' AND pg_temp.normalised(w.word) = s.word
),

-- Without a severity there is none to map: a blank word is as good as null.
severities AS MATERIALIZED (
    SELECT
        s.severity,
        s.word,
        coalesce(w.label, CASE s.word WHEN 'crit' THEN 'critical' WHEN 'warn' THEN 'medium' END) AS label
    FROM (
        SELECT severity, pg_temp.normalised(severity) AS word
        FROM (SELECT DISTINCT severity FROM legacy_check_runs WHERE severity IS NOT NULL) AS d
    ) AS s
    LEFT JOIN added_word AS w ON w.value_map = 'check_runs.severity' AND pg_temp.normalised(w.word) = s.word
),

attributed AS (
    SELECT
        l.*,
        text.new_key AS named,
        CASE WHEN own.id IS NULL THEN i.new_key ELSE own.new_key END AS assignment,
        CASE WHEN own.id IS NULL THEN text.new_key ELSE own.device END AS device,
        CASE WHEN own.id IS NULL THEN i.severity ELSE own.severity END AS of_check,
        CASE WHEN own.id IS NULL THEN i.created_at ELSE own.created_at END AS assigned_at
    FROM legacy_check_runs AS l
    LEFT JOIN assignments AS own ON own.id = l.assignment_id
    LEFT JOIN texts AS text ON text.text = l.device_id
    LEFT JOIN stand_ins AS i ON i.device = text.new_key
),

runs AS (
    SELECT
        a.*,
        s.label AS status_label,
        s.lossy,
        v.label AS severity_label,
        v.word AS severity_word,
        a.device IS NOT NULL AND a.named IS DISTINCT FROM a.device AS names_another
    FROM attributed AS a
    LEFT JOIN statuses AS s ON s.status = a.status
    LEFT JOIN severities AS v ON v.severity = a.severity
)

SELECT
    'check_runs' AS _legacy_table,
    r.id AS _legacy_key,
    m.new_key AS id,
    r.assignment AS assignment_id,
    r.status_label AS status,
    coalesce(
        r.severity_label,
        CASE
            WHEN r.severity_word IS NOT NULL THEN NULL
            WHEN r.status_label = 'passed' THEN 'info'
            ELSE coalesce(r.of_check, CASE r.status_label WHEN 'failed' THEN 'high' ELSE 'medium' END)
        END
    ) AS severity,
    coalesce(r.started_at, r.created_at, r.finished_at, r.assigned_at) AS started_at,
    r.finished_at,
    coalesce(r.created_at, least(r.started_at, r.finished_at), r.assigned_at) AS created_at,
    r.output,
    -- What would else be lost goes under `legacy`: the word of a status, the text of another device.
    CASE
        WHEN r.lossy IS NULL AND NOT r.names_another THEN r.metrics
        ELSE (
            SELECT o.metrics || jsonb_build_object('legacy', o.kept) || CASE
                WHEN o.metrics -> 'legacy' <> o.kept
                    THEN jsonb_build_object(
                        'legacyValues',
                        CASE coalesce(jsonb_typeof(o.metrics -> 'legacyValues'), 'null')
                            WHEN 'object' THEN o.metrics -> 'legacyValues'
                            WHEN 'null' THEN '{}'
                            ELSE jsonb_build_object('value', o.metrics -> 'legacyValues')
                        END || jsonb_build_object('legacy', o.metrics -> 'legacy')
                    )
                ELSE '{}'
            END
            FROM (
                SELECT
                    jsonb_strip_nulls(
                        jsonb_build_object('status', r.lossy, 'deviceId', CASE WHEN r.names_another THEN r.device_id END)
                    ) AS kept,
                    CASE coalesce(jsonb_typeof(r.metrics), 'null')
                        WHEN 'object' THEN r.metrics
                        WHEN 'null' THEN '{}'
                        ELSE jsonb_build_object('value', r.metrics)
                    END AS metrics
            ) AS o
        )
    END AS metrics,
    coalesce(r.named, r.device) AS device_id
FROM runs AS r
LEFT JOIN map_check_runs AS m ON m.legacy_key = r.id
