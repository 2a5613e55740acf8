DELETE FROM {target} AS t
USING undo_batch AS r
WHERE {row_join}
