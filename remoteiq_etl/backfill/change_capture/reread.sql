-- name: to_return
-- Rows last written with a value in this column that are gone from the target.
SELECT m.legacy_table, m.legacy_key::text
FROM {map} AS m
WHERE m.source_id = {source_id} AND m.state IN ('live', 'deleted') AND m.last_written ->> {column} IS NOT NULL
    AND NOT EXISTS (SELECT FROM {target} AS t WHERE {key_join})


-- name: withheld
SELECT DISTINCT a.legacy_table, a.legacy_key
FROM {legacy_archive} AS a
WHERE a.source_id = {source_id} AND a.legacy_table = ANY (%(legacy_tables)s) AND a.table_name = {table_name} AND a.withheld
