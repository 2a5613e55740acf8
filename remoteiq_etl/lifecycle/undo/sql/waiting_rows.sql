-- How many rows of one table wait for a value that another row has.
SELECT count(*) FROM {undo_rows} WHERE undo_id = %(undo_id)s AND table_name = {table_name} AND action = %(action)s AND deferred AND NOT done
