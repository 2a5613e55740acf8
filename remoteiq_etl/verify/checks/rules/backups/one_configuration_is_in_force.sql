-- The default policy and its destination are made of the same row of the configuration.
SELECT
    'backup_destinations' AS table_name,
    coalesce(t.new_key::text, d.decision ->> 'id') AS key,
    'the policy is made of another row of backups_config: destination_id' AS finding
FROM map_backup_destinations AS d
JOIN map_backup_policies AS p ON p.legacy_table = d.legacy_table AND p.legacy_key = d.legacy_key
LEFT JOIN map_backup_destinations AS t ON t.legacy_table = 'backups_config' AND t.legacy_key::text = d.decision ->> 'id'
WHERE d.legacy_table = 'config' AND d.legacy_key = 'used' AND p.decision ->> 'id' IS DISTINCT FROM d.decision ->> 'id'
