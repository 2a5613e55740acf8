-- name: entries
-- The entries of one map under one of its keys. The key is compared in the column's own type, so that an index serves.
SELECT
    {entity}::text AS entity, m.legacy_table, m.legacy_key::text AS legacy_key, m.new_key::text AS new_key, m.rule, m.state,
    m.adopted, m.written_hash IS NOT NULL AS written, m.owner_key, m.decision, m.first_run, m.last_run,
    coalesce(m.inserted_run, CASE WHEN m.written_hash IS NOT NULL AND NOT m.adopted THEN m.first_run END) AS inserted_run
FROM {map} AS m
WHERE m.source_id = %(source_id)s AND {column} = %(key)s::{kind}
    AND (%(legacy_table)s::text IS NULL OR m.legacy_table = %(legacy_table)s)
ORDER BY m.state = 'live' DESC, m.legacy_table, m.legacy_key


-- name: key_types
-- The types of the two keys of each map.
SELECT c.relname, a.attname, pg_catalog.format_type(a.atttypid, NULL)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
WHERE n.nspname = %(schema)s AND c.relkind = 'r' AND a.attname IN ('legacy_key', 'new_key')
