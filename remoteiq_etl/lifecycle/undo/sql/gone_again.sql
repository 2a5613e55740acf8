-- Legacy rows that were found gone, and whose target row is back: listed, as before they were dealt with.
UPDATE {gone} AS g
SET outcome = 'listed', reason = NULL, holder = NULL, done_run = NULL
FROM undo_batch AS r
WHERE g.source_id = {source_id} AND g.table_name = {table_name} AND g.new_key = r.new_key
    AND g.outcome IN ('deleted', 'withdrawn') AND {done_in_scope}
