-- The assignment that stands in for the runs of a device is one of that device, unless it was changed since.
-- reads: check_assignments(id, device_id)
SELECT 'check_assignments' AS table_name, s.legacy_key AS key, 'the assignment that stands in is of another device: assignment' AS finding
FROM map_check_assignments AS s
JOIN legacy_check_assignments AS a ON a.id::text = s.decision ->> 'assignment'
JOIN map_check_assignments AS m ON m.legacy_table = 'check_assignments' AND m.legacy_key = s.decision ->> 'assignment'
LEFT JOIN map_devices AS t ON t.legacy_table = 'device_text' AND t.legacy_key = a.device_id
WHERE s.legacy_table = 'device' AND m.last_run <= s.last_run AND t.new_key::text IS DISTINCT FROM s.legacy_key
UNION ALL
SELECT 'check_assignments', s.legacy_key, 'an assignment of the check Unattributed stands in, which the map does not know: new_key'
FROM map_check_assignments AS s
WHERE
    s.legacy_table = 'device'
    AND NOT s.decision ? 'assignment'
    AND NOT EXISTS (
        SELECT
        FROM map_check_assignments AS d
        WHERE d.legacy_table = 'derived' AND d.new_key = s.new_key AND d.state IN ('live', 'gone', 'deleted', 'undone')
    )
