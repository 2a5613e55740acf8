-- covers: check_assignments
-- reads: check_assignments, checks(id, created_at, updated_at)
-- Equal keys of one device are one assignment, the oldest; a blank key is what the application computes.
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

words AS MATERIALIZED (
    -- The application does not trim, and lowered does: between two full stops nothing is lost.
    SELECT w.text, substr(pg_temp.lowered('.' || w.text || '.'), 2, length(pg_temp.lowered('.' || w.text || '.')) - 2) AS form
    FROM (SELECT check_type FROM legacy_check_assignments UNION SELECT check_name FROM legacy_check_assignments) AS w (text)
    WHERE w.text IS NOT NULL
),

keyed AS (
    SELECT
        l.*,
        d.new_key AS device,
        CASE
            WHEN pg_temp.normalised(l.dedupe_key) IS NOT NULL THEN l.dedupe_key
            ELSE coalesce(kind.form, '') || '|' || coalesce(name.form, '')
        END AS new_dedupe_key
    FROM legacy_check_assignments AS l
    LEFT JOIN map_devices AS d ON d.legacy_table = 'device_text' AND d.legacy_key = l.device_id
    LEFT JOIN words AS kind ON kind.text = l.check_type
    LEFT JOIN words AS name ON name.text = l.check_name
),

ranked AS (
    SELECT
        k.*,
        m.new_key,
        m.state,
        row_number() OVER (
            PARTITION BY k.device, k.new_dedupe_key, CASE WHEN k.device IS NULL THEN k.id END
            ORDER BY m.state = 'merged', k.created_at, k.id
        ) AS place
    FROM keyed AS k
    LEFT JOIN map_check_assignments AS m ON m.legacy_table = 'check_assignments' AND m.legacy_key = k.id::text
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
    l.new_key AS id,
    p.new_key AS check_id,
    'device' AS target_type,
    l.device AS target_id,
    coalesce(l.created_at, l.updated_at, p.created_at) AS created_at,
    coalesce(l.updated_at, l.created_at, p.created_at) AS updated_at,
    -- A row that was there before its twin was known stays, and has a key of its own.
    l.new_dedupe_key || CASE WHEN l.place > 1 THEN '~' || l.new_key::text ELSE '' END AS dedupe_key,
    l.check_type,
    l.check_name
FROM ranked AS l
JOIN meant AS p
    ON p.check_type = coalesce(l.check_type, '') AND p.check_name = coalesce(l.check_name, '')
WHERE l.place = 1 OR l.state = 'live'
