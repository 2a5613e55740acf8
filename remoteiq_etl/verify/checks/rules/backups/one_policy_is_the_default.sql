-- An organization has one default backup policy at the most.
SELECT 'backup_policies' AS table_name, p.id::text AS key, 'another policy of the organization is the default, too: is_default' AS finding
FROM backup_policies AS p
JOIN map_backup_policies AS m ON m.new_key::text = p.id::text AND m.state = 'live'
WHERE p.is_default
    AND EXISTS (
        SELECT
        FROM backup_policies AS o
        WHERE o.organization_id = p.organization_id AND o.id <> p.id AND o.is_default
    )
