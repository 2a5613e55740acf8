-- name: found
-- What there is in the schema of the views, with what the catalogue says of it.
SELECT c.relname, c.relkind::text, pg_catalog.obj_description(c.oid, 'pg_class')
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s
ORDER BY c.relname


-- name: schema
-- Whether the schema is there, and what the catalogue says of it.
SELECT pg_catalog.obj_description(n.oid, 'pg_namespace') FROM pg_catalog.pg_namespace AS n WHERE n.nspname = %(schema)s


-- name: key_types
-- The type of the legacy keys in each map.
SELECT c.relname, pg_catalog.format_type(a.atttypid, NULL)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'legacy_key'
WHERE n.nspname = %(schema)s AND c.relkind = 'r'


-- name: organization
-- The organization of a source.
SELECT o.id::text
FROM {organizations} AS o
JOIN {sources} AS s ON s.organization_slug = o.slug
WHERE s.id = %(source_id)s


-- name: number
-- Rows that no map knows, and that have no number yet, get those above all that were given, and all that legacy had below 2^31:
-- columns of legacy that refer to an agent are integers, and a larger number in legacy is beyond them.
INSERT INTO {numbers} (source_id, legacy_table, new_key, legacy_key)
SELECT {source}, {legacy_table}, n.{key}, base.highest + row_number() OVER (ORDER BY n.{key})
FROM {target_table} AS n
CROSS JOIN (
    SELECT greatest(
        coalesce(
            (
                SELECT max({known_key})
                FROM {map} AS m
                WHERE m.source_id = {source} AND m.legacy_table = {legacy_table} AND {known_key} < 2147483647
            ),
            0
        ),
        coalesce((SELECT max(x.legacy_key) FROM {numbers} AS x WHERE x.source_id = {source} AND x.legacy_table = {legacy_table}), 0)
    ) AS highest
) AS base
WHERE
    ({condition})
    AND NOT EXISTS (SELECT FROM {map} AS m WHERE m.new_key = n.{key} AND m.state = 'live')
    AND NOT EXISTS (
        SELECT
        FROM {numbers} AS x
        WHERE x.source_id = {source} AND x.legacy_table = {legacy_table} AND x.new_key = n.{key}
    )


-- name: outnumbered
-- Numbers that legacy has given since go, so that their rows get others.
DELETE FROM {numbers} AS x
USING {map} AS m
WHERE
    x.source_id = {source}
    AND x.legacy_table = {legacy_table}
    AND m.source_id = {source}
    AND m.legacy_table = {legacy_table}
    AND m.legacy_key::text = x.legacy_key::text


-- name: agent_keys
-- The legacy number of each agent: that of the map, else the one that was given.
SELECT m.new_key AS agent_id, m.legacy_key::bigint AS legacy_key
FROM {map} AS m
WHERE m.source_id = {source} AND m.legacy_table = 'agents' AND m.state = 'live'
UNION ALL
SELECT x.new_key, x.legacy_key
FROM {numbers} AS x
WHERE x.source_id = {source} AND x.legacy_table = 'agents'


-- name: roles_with_meta
-- As the legacy database had it: roles with what role_meta says of them.
SELECT
    r.id,
    r.name,
    coalesce(m.description, r.description) AS description,
    coalesce(m.permissions, '{{}}'::text[]) AS permissions,
    r.created_at,
    coalesce(m.updated_at, r.created_at) AS updated_at
FROM {roles} AS r
LEFT JOIN {role_meta} AS m ON m.role_name = r.name
