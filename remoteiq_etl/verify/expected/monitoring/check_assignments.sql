-- covers: check_assignments
-- reads: check_assignments, checks(id, created_at, updated_at)
-- each row: check_assignments
-- not compared: created_by: no legacy source
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
    SELECT p.check_type, p.check_name, m.new_key, coalesce(c.created_at, c.updated_at) AS created_at
    FROM pairs AS p
    LEFT JOIN map_checks AS m ON m.legacy_table = 'assignment' AND m.legacy_key = p.key
    LEFT JOIN legacy_checks AS c ON c.id::text = m.decision ->> 'check'
)

SELECT
    'check_assignments' AS _legacy_table,
    l.id AS _legacy_key,
    m.new_key AS id,
    p.new_key AS check_id,
    'device' AS target_type,
    d.new_key AS target_id,
    coalesce(l.created_at, l.updated_at, p.created_at) AS created_at,
    coalesce(l.updated_at, l.created_at, p.created_at) AS updated_at,
    l.dedupe_key,
    l.check_type,
    l.check_name
FROM legacy_check_assignments AS l
JOIN meant AS p
    ON p.check_type = coalesce(l.check_type, '') AND p.check_name = coalesce(l.check_name, '')
LEFT JOIN map_check_assignments AS m ON m.legacy_table = 'check_assignments' AND m.legacy_key = l.id::text
LEFT JOIN map_devices AS d ON d.legacy_table = 'device_text' AND d.legacy_key = l.device_id
