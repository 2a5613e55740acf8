-- covers: checks
-- reads: checks(id, type, scope, enabled)
-- each row: checks
-- not compared: created_by, created_at, updated_at: no legacy source
SELECT
    'checks' AS _legacy_table,
    l.id AS _legacy_key,
    m.new_key AS id,
    c.new_key AS check_id,
    'organization' AS target_type,
    source.organization_id::uuid AS target_id
FROM legacy_checks AS l
CROSS JOIN source
LEFT JOIN map_check_assignments AS m ON m.legacy_table = 'checks' AND m.legacy_key = l.id::text
LEFT JOIN map_checks AS c ON c.legacy_table = 'checks' AND c.legacy_key = l.id::text
WHERE l.enabled AND l.scope = 'GLOBAL' AND l.type <> 'SCRIPT'
