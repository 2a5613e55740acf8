-- Open conflicts about rows that are not ours any more: they go, or are nobody's again.
UPDATE {conflicts} AS k
SET resolved_run = {last_run}, resolution = 'undone'
FROM undo_batch AS r
LEFT JOIN {before_images} AS i ON i.id = r.first_image
WHERE k.source_id = {source_id} AND k.table_name = {table_name} AND k.new_key = r.new_key AND k.resolved_run IS NULL
    AND (r.action = 'delete' OR i.operation = 'adopt')
