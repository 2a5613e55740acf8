INSERT INTO {movements} (source_id, table_name, run_id, undo_id, cause, "rows", change)
VALUES (%s, %s, %s, %s, %s, %s, %s)
