-- The rows that were merged into their role. Their name is the key under which they were left out.
-- exact: role_name
-- lost: description: one that is equal but for what the role itself says reads as the role's
-- archive: permissions
-- lost: updated_at: of a row whose role was merged into another it is the archive's, of an edited role that of the edit
SELECT
    r.archive_key AS role_name,
    coalesce(a.description, t.description) AS description,
    CASE
        WHEN a.permissions IS NOT NULL THEN ARRAY(SELECT w.word FROM jsonb_array_elements_text(a.permissions::jsonb) AS w (word))
        ELSE ARRAY(SELECT g.permission_key FROM {target}.role_permissions AS g WHERE g.role_id = t.id ORDER BY g.permission_key)
    END AS permissions,
    coalesce(a.updated_at, t.updated_at) AS updated_at
FROM (
    SELECT l.legacy_key AS archive_key
    FROM {state}.left_out AS l
    WHERE l.source_id = {source} AND l.table_name = 'roles' AND l.legacy_table = 'role_meta'
) AS r
{archived}
LEFT JOIN {target}.roles AS t ON t.organization_id = {organization} AND t.name = r.archive_key
