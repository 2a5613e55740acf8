-- A row that refers to one of the batch: it came after the plan was made.
SELECT r.new_key, {child_key}
FROM undo_batch AS r
JOIN {target} AS t ON {row_join}
JOIN {child} AS c ON {references}
LIMIT 1
