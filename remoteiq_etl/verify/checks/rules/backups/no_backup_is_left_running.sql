-- No backup job of ours is one that the new application would go on executing, and no restore is.
SELECT 'backup_jobs' AS table_name, j.id::text AS key, 'it can still run: status' AS finding
FROM map_backup_jobs AS m
JOIN backup_jobs AS j ON j.id::text = m.new_key::text
WHERE m.state = 'live' AND NOT m.adopted AND j.status::text IN ('pending', 'running')
UNION ALL
SELECT 'backup_restores', r.id::text, 'it can still run: status'
FROM map_backup_restores AS m
JOIN backup_restores AS r ON r.id::text = m.new_key::text
WHERE m.state = 'live' AND NOT m.adopted AND r.status::text IN ('pending', 'running')
