-- The rest of the scope: images of rows for which nothing was to be done. Those of rows that stay as they are still stand.
UPDATE {before_images} AS b
SET undone_by = %(undo_id)s
WHERE b.source_id = {source_id} AND b.table_name = ANY (%(tables)s) AND b.undone_by IS NULL AND {of_run}
    AND (b.legacy_table IS NULL OR b.legacy_table = ANY (%(legacy_tables)s))
    AND NOT EXISTS (
        SELECT FROM {undo_rows} AS r
        WHERE r.undo_id = %(undo_id)s AND r.table_name = b.table_name AND r.new_key = b.new_key AND r.action = 'keep'
    )
