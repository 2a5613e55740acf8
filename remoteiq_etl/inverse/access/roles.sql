-- Roles of the organization by their legacy ids; those merged into an equal name from the archive.
-- keys: roles
-- new: n.organization_id = {organization}
-- whole: merged
-- exact: id, name, created_at
-- lost: description: a role that has none of its own reads as its row of role_meta describes it
SELECT
    r.legacy_key AS id,
    t.name,
    t.created_at,
    CASE WHEN r.written ->> 'description' IS DISTINCT FROM t.description THEN t.description
        ELSE coalesce(a.description, t.description) END AS description
FROM {rows} AS r
JOIN {target}.roles AS t ON t.id = r.new_key
{archived}
UNION ALL
SELECT w.archive_key::uuid, w.name, w.created_at, w.description
FROM {whole} AS w
