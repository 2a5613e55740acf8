-- What runs inherit from their assignment is worked out once per assignment; a device text is looked up where it is not the assignment's own.
-- Names are compared by lower(), which for the generated names gives what case folding gives.
-- Left out, as in the map: rows that our path quarantines (unknown words, devices that nobody knows) or holds.
WITH severities AS MATERIALIZED (
    SELECT p.check_type, p.check_name, CASE upper(c.severity_default) WHEN 'CRIT' THEN 'critical' WHEN 'WARN' THEN 'medium' END AS severity
    FROM (SELECT DISTINCT coalesce(check_type, '') AS check_type, coalesce(check_name, '') AS check_name FROM legacy.check_assignments) AS p
    JOIN remoteiq_etl.legacy_checks_map AS m
        ON m.source_id = {source_id} AND m.legacy_table = 'assignment'
        AND m.legacy_key = '[' || to_json(lower(p.check_type)) || ','
            || to_json(lower(coalesce(nullif(p.check_name, ''), nullif(p.check_type, ''), 'Agent Check'))) || ']'
    JOIN legacy.checks AS c ON c.id::text = m.decision ->> 'check'
), devices AS MATERIALIZED (
    SELECT legacy_key AS text, new_key::text AS device FROM remoteiq_etl.legacy_devices_map
    WHERE source_id = {source_id} AND legacy_table = 'device_text' AND new_key IS NOT NULL
), facts AS MATERIALIZED (
    SELECT a.id, m.new_key AS assignment_id, a.device_id AS text, d.device, a.created_at, v.severity
    FROM legacy.check_assignments AS a
    LEFT JOIN remoteiq_etl.legacy_check_assignments_map AS m
        ON m.source_id = {source_id} AND m.legacy_table = 'check_assignments' AND m.legacy_key = a.id::text AND m.state = 'live'
    LEFT JOIN devices AS d ON d.text = a.device_id
    LEFT JOIN severities AS v ON v.check_type = coalesce(a.check_type, '') AND v.check_name = coalesce(a.check_name, '')
), stand_ins AS MATERIALIZED (
    SELECT m.legacy_key AS device, m.new_key AS assignment_id, f.created_at, f.severity
    FROM remoteiq_etl.legacy_check_assignments_map AS m
    LEFT JOIN facts AS f ON f.id::text = m.decision ->> 'assignment'
    WHERE m.source_id = {source_id} AND m.legacy_table = 'device'
), attributed AS (
    SELECT
        s.*,
        {source_hash} AS source_hash,
        CASE WHEN f.id IS NULL THEN i.assignment_id ELSE f.assignment_id END AS assignment,
        CASE WHEN f.id IS NULL THEN i.severity ELSE f.severity END AS severity_of_check,
        CASE WHEN f.id IS NULL THEN i.created_at ELSE f.created_at END AS assigned_at,
        CASE WHEN f.device <> d.device OR f.device IS NOT NULL AND s.device_id NOT IN (f.text, f.device) AND d.device IS NULL
            THEN s.device_id END AS lost_device,
        upper(s.status) AS word,
        upper(coalesce(s.severity, '')) AS severity_word
    FROM legacy.check_runs AS s
    LEFT JOIN facts AS f ON f.id = s.assignment_id
    LEFT JOIN devices AS d ON (f.id IS NULL OR s.device_id NOT IN (f.text, f.device)) AND d.text = s.device_id
    LEFT JOIN stand_ins AS i ON f.id IS NULL AND i.device = d.device
    OFFSET 0
), worded AS (
    SELECT
        a.*,
        CASE
            WHEN a.word IN ('OK', 'PASS', 'PASSING') THEN 'passed'
            WHEN a.word IN ('WARN', 'WARNING', 'UNKNOWN') THEN 'warning'
            WHEN a.word IN ('CRIT', 'ERROR', 'FAIL', 'FAILING', 'TIMEOUT') THEN 'failed'
            WHEN a.word = 'MUTED' THEN 'muted'
        END AS status_label,
        CASE WHEN a.word IN ('UNKNOWN', 'CRIT', 'ERROR', 'TIMEOUT') THEN a.status END AS lost_status
    FROM attributed AS a
    WHERE a.assignment IS NOT NULL AND a.severity_word IN ('CRIT', 'WARN', '')
    OFFSET 0
), transformed AS MATERIALIZED (
    SELECT
        w.id,
        w.source_hash,
        w.assignment AS assignment_id,
        w.status_label::public.check_status AS status,
        (CASE
            WHEN w.severity_word = 'CRIT' THEN 'critical'
            WHEN w.severity_word = 'WARN' THEN 'medium'
            WHEN w.status_label = 'passed' THEN 'info'
            WHEN w.severity_of_check IS NOT NULL THEN w.severity_of_check
            WHEN w.status_label = 'failed' THEN 'high'
            ELSE 'medium'
        END)::public.check_severity AS severity,
        coalesce(w.started_at, w.created_at, w.finished_at, w.assigned_at) AS started_at,
        w.finished_at,
        CASE
            WHEN coalesce(w.lost_status, w.lost_device) IS NULL THEN w.metrics
            ELSE coalesce(CASE WHEN jsonb_typeof(w.metrics) <> 'object' THEN jsonb_build_object('value', w.metrics) ELSE w.metrics END, '{{}}')
                || jsonb_build_object('legacy', jsonb_strip_nulls(jsonb_build_object('status', w.lost_status, 'deviceId', w.lost_device)))
        END AS metrics,
        w.output,
        coalesce(w.created_at, least(w.started_at, w.finished_at), w.assigned_at) AS created_at
    FROM worded AS w
    WHERE w.status_label IS NOT NULL
), written AS (
    INSERT INTO public.check_runs (id, assignment_id, status, severity, started_at, finished_at, metrics, output, created_at)
    SELECT id, assignment_id, status, severity, started_at, finished_at, metrics, output, created_at
    FROM transformed
    ORDER BY id
)
INSERT INTO remoteiq_etl.legacy_check_runs_map
    (source_id, legacy_table, legacy_key, new_key, rule, state, adopted, first_run, last_run, source_hash, written_hash)
SELECT {source_id}, 'check_runs', t.id, t.id, 'kept', 'live', false, 1, 1, t.source_hash, {written_hash}
FROM transformed AS t
ORDER BY t.id
