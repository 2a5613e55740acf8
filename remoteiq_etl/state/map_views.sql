-- name: map_view
SELECT m.legacy_table, m.legacy_key, m.new_key, m.rule, m.first_run, m.last_run, m.state, s.name AS source
FROM {map} AS m
JOIN {sources} AS s ON s.id = m.source_id


-- name: none
-- Before the first map there is nothing to show, but the view is there and has its columns.
SELECT
    NULL::text AS entity, NULL::text AS legacy_table, NULL::text AS legacy_key, NULL::text AS new_key, NULL::text AS rule,
    NULL::bigint AS first_run, NULL::bigint AS last_run, NULL::text AS state, NULL::text AS source
WHERE false


-- name: part
SELECT
    {entity}::text AS entity, m.legacy_table, m.legacy_key::text AS legacy_key, m.new_key::text AS new_key, m.rule,
    m.first_run, m.last_run, m.state, s.name AS source
FROM {map} AS m
JOIN {sources} AS s ON s.id = m.source_id
