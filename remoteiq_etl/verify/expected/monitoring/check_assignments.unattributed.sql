-- covers: derived
-- reads: check_runs(assignment_id, device_id), check_assignments(id)
-- not compared: created_by, created_at, updated_at: no legacy source
WITH unclaimed AS (
    SELECT DISTINCT r.device_id
    FROM legacy_check_runs AS r
    WHERE
        NOT EXISTS (SELECT FROM legacy_check_assignments AS a WHERE a.id = r.assignment_id)
        AND NOT EXISTS (
            SELECT
            FROM map_check_assignments AS k
            WHERE k.legacy_table = 'check_assignments' AND k.legacy_key = r.assignment_id::text
        )
),

devices AS (
    SELECT DISTINCT d.new_key AS id
    FROM unclaimed AS u
    JOIN map_devices AS t ON t.legacy_table = 'device_text' AND t.legacy_key = u.device_id
    JOIN map_devices AS d ON d.new_key = t.new_key AND d.state = 'live'
),

-- On which devices one assignment alone stood in is a decision.
keyed AS (
    SELECT d.id, '["unattributed",' || to_json(d.id::text)::text || ']' AS key
    FROM devices AS d
    WHERE NOT EXISTS (
        SELECT
        FROM map_check_assignments AS k
        WHERE k.legacy_table = 'device' AND k.legacy_key = d.id::text AND k.decision ? 'assignment'
    )
)

SELECT
    'derived' AS _legacy_table,
    d.key AS _legacy_key,
    m.new_key AS id,
    c.new_key AS check_id,
    'device' AS target_type,
    d.id AS target_id
FROM keyed AS d
LEFT JOIN map_check_assignments AS m ON m.legacy_table = 'derived' AND m.legacy_key = d.key
LEFT JOIN map_checks AS c ON c.legacy_table = 'derived' AND c.legacy_key = '["","unattributed"]'
