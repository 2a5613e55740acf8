UPDATE {undo_rows} AS u
SET done = true
FROM undo_batch AS r
WHERE u.undo_id = r.undo_id AND u.table_name = r.table_name AND u.new_key = r.new_key
