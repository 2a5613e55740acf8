-- Tables that no run has completed, of those that have a source.
SELECT asset AS key FROM unnest(%(assets)s::text[]) AS asset
WHERE NOT EXISTS (SELECT FROM {assets} AS a WHERE a.source_id = %(source_id)s AND a.table_name = asset)
