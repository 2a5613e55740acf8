-- Permissions by their legacy ids; those merged into an equal key, and blank ones, from the archive.
-- keys: permissions
-- new: true
-- whole: merged, blank_key
-- exact: id, group_key, group_label, created_at
-- archive: key
-- lost: label: one that only repeats its key reads as the catalogue's
SELECT
    r.legacy_key AS id,
    coalesce(a.key, t.permission_key) AS key,
    t.label,
    t.group_key,
    t.group_label,
    t.created_at
FROM {rows} AS r
JOIN {target}.permissions AS t ON t.permission_key = r.new_key
{archived}
UNION ALL
SELECT w.archive_key::uuid, w.key, w.label, w.group_key, w.group_label, w.created_at
FROM {whole} AS w
