-- Backup policies that are switched on, ours and others.
SELECT id::text AS key FROM {backup_policies} WHERE (options ->> 'enabled') IS NOT DISTINCT FROM 'true'
