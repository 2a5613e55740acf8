-- The configuration, which the redesign keeps as it was.
-- keys: backups_config
-- new: (SELECT count(*) FROM {state}.sources) = 1
-- exact: id, enabled, targets, schedule, cron_expr, retention_days, encrypt, destination, notifications, last_scheduled_at
SELECT
    r.legacy_key AS id,
    t.enabled,
    t.targets,
    t.schedule,
    t.cron_expr,
    t.retention_days,
    t.encrypt,
    t.destination,
    t.notifications,
    t.last_scheduled_at
FROM {rows} AS r
JOIN {target}.backups_config AS t ON t.id = r.new_key
