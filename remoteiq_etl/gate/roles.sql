-- name: held_in_legacy
-- Each legacy role with its keys by role_permissions and those by role_meta, as they are spelled.
SELECT
    r.id::text,
    r.name,
    (
        SELECT coalesce(array_agg(p.key), '{{}}') FROM {role_permissions} AS g
        JOIN {permissions} AS p ON p.id = g.permission_id
        WHERE g.role_id = r.id
    ),
    (SELECT coalesce(array_agg(w.key), '{{}}') FROM {role_meta} AS m CROSS JOIN LATERAL unnest(m.permissions) AS w (key) WHERE m.role_name = r.name)
FROM {roles} AS r
ORDER BY r.name, r.id


-- name: held_in_target
-- The keys that the role of each legacy role has in the target, whoever granted them.
SELECT m.legacy_key, g.permission_key FROM {map_all} AS m
JOIN {target_role_permissions} AS g ON g.role_id::text = m.new_key
WHERE m.source = %(source)s AND m.entity = 'roles' AND m.legacy_table = 'roles' AND m.state IN ('live', 'merged')
