-- Rows that must be ours by the book of movements, and those that the map says are.
SELECT
    (SELECT coalesce(sum(b.change), 0)::bigint FROM {movements} AS b WHERE b.source_id = {source_id} AND b.table_name = {table_name}),
    (SELECT count(*) FROM {map} AS m WHERE m.source_id = {source_id} AND m.state = 'live')
