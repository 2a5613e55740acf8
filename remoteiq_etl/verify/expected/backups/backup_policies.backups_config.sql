-- covers: backups_config
-- reads: backups_config
-- not compared: created_by: no legacy source, nobody was recorded
-- not compared: created_at, updated_at: no legacy source, the default at insert
WITH chosen AS (
    SELECT l.*
    FROM legacy_backups_config AS l
    LEFT JOIN map_backup_policies AS d
        ON d.legacy_table = 'config' AND d.legacy_key = 'used' AND d.decision ->> 'id' = l.id
    ORDER BY (d.legacy_key IS NULL), (l.id <> 'singleton'), l.id COLLATE "C"
    LIMIT 1
)

SELECT
    'backups_config' AS _legacy_table,
    l.id AS _legacy_key,
    m.new_key AS id,
    s.organization_id,
    'Default Backup Policy' AS name,
    'Normalized default backups policy' AS description,
    coalesce(w.label, pg_temp.normalised(l.schedule)) AS schedule,
    jsonb_build_object('days', l.retention_days) AS retention,
    d.new_key AS destination_id,
    'organization' AS target_type,
    NULL::uuid AS target_id,
    jsonb_build_object('enabled', l.enabled AND EXISTS (SELECT FROM run_option WHERE name = 'cut_over'))
    || jsonb_strip_nulls(
        jsonb_build_object(
            'legacyEnabled', l.enabled,
            'cronExpr', l.cron_expr,
            'encrypt', l.encrypt,
            'lastScheduledAt',
            replace(to_char(l.last_scheduled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'), '.000000', '')
        )
    )
    || CASE WHEN jsonb_typeof(l.targets) = 'null' THEN '{}' ELSE jsonb_build_object('targets', l.targets) END
    || CASE WHEN jsonb_typeof(l.notifications) = 'null' THEN '{}' ELSE jsonb_build_object('notifications', l.notifications) END AS options,
    true AS is_default
FROM chosen AS l
CROSS JOIN source AS s
LEFT JOIN added_word AS w
    ON w.value_map = 'backup_policies.schedule' AND pg_temp.normalised(w.word) = pg_temp.normalised(l.schedule)
LEFT JOIN map_backup_policies AS m ON m.legacy_table = 'backups_config' AND m.legacy_key = l.id
LEFT JOIN map_backup_destinations AS d
    ON d.legacy_table = 'backups_config' AND d.legacy_key = l.id AND d.state IN ('live', 'merged')
