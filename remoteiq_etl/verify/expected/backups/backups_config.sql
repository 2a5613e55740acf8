-- reads: backups_config
-- each row: backups_config
-- not compared: created_at, updated_at: no legacy source, the default at insert
-- carried from backups_config: enabled, schedule, cron_expr, retention_days, encrypt
SELECT
    'backups_config' AS _legacy_table,
    l.id AS _legacy_key,
    m.new_key AS id,
    l.enabled,
    l.targets,
    l.schedule,
    l.cron_expr,
    l.retention_days,
    l.encrypt,
    l.destination,
    l.notifications,
    l.last_scheduled_at
FROM legacy_backups_config AS l
LEFT JOIN map_backups_config AS m ON m.legacy_table = 'backups_config' AND m.legacy_key = l.id
