UPDATE {before_images} AS b
SET undone_by = %(undo_id)s
FROM undo_batch AS r
WHERE b.source_id = {source_id} AND b.table_name = {table_name} AND b.new_key = r.new_key AND b.undone_by IS NULL AND {of_run}
