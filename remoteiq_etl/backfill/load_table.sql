-- name: mark_deleted
-- Rows that were written and are gone were deleted in the new system. What refers to them is told so.
UPDATE {map} AS m
SET state = 'deleted', last_run = {run_id}
WHERE m.source_id = {source_id} AND m.state = 'live' AND m.new_key IS NOT NULL
    AND NOT EXISTS (SELECT FROM {target} AS t WHERE {key_join})
