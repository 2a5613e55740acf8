-- How many keys of one legacy table lead to a row, and how many of them are gone.
SELECT
    (SELECT count(*) FROM {map} AS m
        WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.state IN ('live', 'merged')),
    (SELECT count(*) FROM gone_found AS f
        WHERE f.table_name = {table_name} AND f.legacy_table = {legacy_table} AND f.state <> 'deleted' AND NOT f.silent)
