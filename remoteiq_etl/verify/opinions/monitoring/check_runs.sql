-- rows: check_runs
-- reads: check_assignments(id, device_id, check_type, check_name, created_at, updated_at), checks(id, severity_default, created_at)
WITH pairs AS MATERIALIZED (
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
),

meant AS (
    SELECT
        p.check_type,
        p.check_name,
        c.created_at,
        CASE upper(btrim(c.severity_default)) WHEN 'CRIT' THEN 'critical' WHEN 'WARN' THEN 'medium' END AS severity
    FROM pairs AS p
    LEFT JOIN map_checks AS m ON m.legacy_table = 'assignment' AND m.legacy_key = p.key
    LEFT JOIN legacy_checks AS c ON c.id::text = m.decision ->> 'check'
),

assignments AS MATERIALIZED (
    SELECT
        l.id,
        m.new_key,
        d.new_key AS device,
        p.severity,
        coalesce(
            CASE WHEN isfinite(l.created_at) THEN l.created_at END,
            CASE WHEN isfinite(l.updated_at) THEN l.updated_at END,
            p.created_at
        ) AS created_at
    FROM legacy_check_assignments AS l
    JOIN meant AS p
        ON p.check_type = coalesce(l.check_type, '') AND p.check_name = coalesce(l.check_name, '')
    LEFT JOIN map_check_assignments AS m
        ON m.legacy_table = 'check_assignments' AND m.legacy_key = l.id::text
    LEFT JOIN map_devices AS d ON d.legacy_table = 'device_text' AND d.legacy_key = l.device_id
    UNION ALL
    -- Gone from legacy, but the map knows where it went.
    SELECT m.legacy_key::uuid, m.new_key, NULL, NULL, NULL
    FROM map_check_assignments AS m
    WHERE
        m.legacy_table = 'check_assignments'
        AND NOT EXISTS (SELECT FROM legacy_check_assignments AS l WHERE l.id::text = m.legacy_key)
),

-- What stands in on a device for runs without an assignment.
stand_ins AS MATERIALIZED (
    SELECT k.legacy_key::uuid AS device, k.new_key, a.severity, a.created_at
    FROM map_check_assignments AS k
    LEFT JOIN assignments AS a ON a.id::text = k.decision ->> 'assignment'
    WHERE k.legacy_table = 'device'
),

statuses AS MATERIALIZED (
    SELECT
        s.status,
        coalesce(
            w.label,
            CASE
                WHEN upper(btrim(s.status)) IN ('OK', 'PASS', 'PASSING') THEN 'passed'
                WHEN upper(btrim(s.status)) IN ('WARN', 'WARNING', 'UNKNOWN') THEN 'warning'
                WHEN upper(btrim(s.status)) IN ('CRIT', 'ERROR', 'FAIL', 'FAILING', 'TIMEOUT') THEN 'failed'
                WHEN upper(btrim(s.status)) = 'MUTED' THEN 'muted'
            END
        ) AS label,
        CASE WHEN upper(btrim(s.status)) IN ('UNKNOWN', 'CRIT', 'ERROR', 'TIMEOUT') THEN s.status END AS lossy
    FROM (SELECT DISTINCT status FROM legacy_check_runs) AS s
    LEFT JOIN added_word AS w
        ON w.value_map = 'check_runs.status' AND pg_temp.normalised(w.word) = pg_temp.normalised(s.status)
),

severities AS MATERIALIZED (
    SELECT
        s.severity,
        coalesce(
            w.label, CASE upper(btrim(s.severity)) WHEN 'CRIT' THEN 'critical' WHEN 'WARN' THEN 'medium' END
        ) AS label
    FROM (SELECT DISTINCT severity FROM legacy_check_runs WHERE severity IS NOT NULL) AS s
    LEFT JOIN added_word AS w
        ON w.value_map = 'check_runs.severity' AND pg_temp.normalised(w.word) = pg_temp.normalised(s.severity)
),

runs AS (
    SELECT
        l.*,
        s.label AS status_label,
        s.lossy,
        v.label AS severity_label,
        text.new_key AS named,
        CASE WHEN own.id IS NULL THEN i.new_key ELSE own.new_key END AS assignment,
        CASE WHEN own.id IS NULL THEN text.new_key ELSE own.device END AS device,
        CASE WHEN own.id IS NULL THEN i.severity ELSE own.severity END AS of_check,
        CASE WHEN own.id IS NULL THEN i.created_at ELSE own.created_at END AS assigned_at,
        CASE WHEN isfinite(l.started_at) THEN l.started_at END AS started,
        CASE WHEN isfinite(l.finished_at) THEN l.finished_at END AS finished,
        CASE WHEN isfinite(l.created_at) THEN l.created_at END AS created
    FROM legacy_check_runs AS l
    JOIN statuses AS s ON s.status = l.status
    LEFT JOIN severities AS v ON v.severity = l.severity
    LEFT JOIN assignments AS own ON own.id = l.assignment_id
    LEFT JOIN map_devices AS text ON text.legacy_table = 'device_text' AND text.legacy_key = l.device_id
    LEFT JOIN stand_ins AS i ON i.device = text.new_key
),

-- What would else be lost goes under `legacy`: the word of a status, the text of another device.
measured AS (
    SELECT
        r.*,
        jsonb_strip_nulls(
            jsonb_build_object(
                'status', r.lossy,
                'deviceId', CASE WHEN r.device IS NOT NULL AND r.named IS DISTINCT FROM r.device THEN r.device_id END
            )
        ) AS kept,
        CASE coalesce(jsonb_typeof(r.metrics), 'null')
            WHEN 'object' THEN r.metrics
            WHEN 'null' THEN '{}'
            ELSE jsonb_build_object('value', r.metrics)
        END AS object
    FROM runs AS r
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
            WHEN r.severity IS NOT NULL AND pg_temp.normalised(r.severity) IS NOT NULL THEN NULL
            WHEN r.status_label = 'passed' THEN 'info'
            ELSE coalesce(r.of_check, CASE r.status_label WHEN 'failed' THEN 'high' ELSE 'medium' END)
        END
    ) AS severity,
    coalesce(r.started, r.created, r.finished, r.assigned_at) AS started_at,
    r.finished AS finished_at,
    coalesce(r.created, least(r.started, r.finished), r.assigned_at) AS created_at,
    r.output,
    CASE
        WHEN r.kept = '{}' THEN r.metrics
        WHEN r.object ? 'legacy' AND r.object -> 'legacy' <> r.kept
            THEN r.object || jsonb_build_object(
                'legacy', r.kept,
                'legacyValues', CASE coalesce(jsonb_typeof(r.object -> 'legacyValues'), 'null')
                    WHEN 'object' THEN r.object -> 'legacyValues'
                    WHEN 'null' THEN '{}'
                    ELSE jsonb_build_object('value', r.object -> 'legacyValues')
                END || jsonb_build_object('legacy', r.object -> 'legacy')
            )
        ELSE r.object || jsonb_build_object('legacy', r.kept)
    END AS metrics,
    coalesce(r.named, r.device) AS device_id
FROM measured AS r
LEFT JOIN map_check_runs AS m ON m.legacy_key = r.id
